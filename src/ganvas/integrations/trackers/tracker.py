"""What an experiment tracker is told, and which ones there are."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

Settings = Mapping[str, str | int | float | bool]


class Tracker(Protocol):
    """One run in a tracker. Every method may raise whatever the tracker's library raises."""

    @property
    def id(self) -> str:
        """By which the tracker knows the run when it is resumed."""
        ...

    def settings(self, settings: Settings) -> None:
        """Hyperparameters, by their path in run.yaml, such as game.lr_d."""
        ...

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Losses, signals and scores of a step."""
        ...

    def samples(self, step: int, sheet: Path) -> None:
        """A sample grid, as a PNG."""
        ...

    def finding(self, step: int, sentence: str) -> None:
        """What the doctor found or did, or a command."""
        ...

    def close(self, finished: bool) -> None:
        """The run has ended, or stopped."""
        ...


@dataclass(frozen=True)
class Library:
    """A tracker's library: `module` of this package opens runs in it."""

    module: str
    package: str  # that must be there
    extra: str  # of ganvas, that installs it


TRACKERS = {
    "tensorboard": Library("tensorboard", "tensorboard", "tensorboard"),
    "mlflow": Library("mlflow", "mlflow", "mlflow"),
    "wandb": Library("wandb", "wandb", "wandb"),
}
