"""Weights & Biases, online after `wandb login`, otherwise offline in RUN/wandb for `wandb sync`.

WANDB_MODE, WANDB_PROJECT and the library's other variables hold; without them the project is
"ganvas".
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import wandb

from ganvas.checkpoints.run_dir import RunDir
from ganvas.integrations.trackers.tracker import Settings

PROJECT = "ganvas"


class WeightsAndBiases:
    """A run in Weights & Biases."""

    def __init__(self, run: Any) -> None:
        self.run = run
        self.id = str(run.id)

    def settings(self, settings: Settings) -> None:
        """As the run's config."""
        config: Any = self.run.config
        config.update(dict(settings), allow_val_change=True)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """As history."""
        self.run.log(dict(values), step=step)

    def samples(self, step: int, sheet: Path) -> None:
        """As an image."""
        self.run.log({"samples": wandb.Image(str(sheet))}, step=step)

    def finding(self, step: int, sentence: str) -> None:
        """As an alert, and in the summary."""
        self.run.alert(title=f"step {step:,}", text=sentence)
        self.run.summary[f"finding.{step:08}"] = sentence

    def close(self, finished: bool) -> None:
        """Finished, or stopped."""
        self.run.finish(exit_code=0 if finished else 1)


def opened(run: RunDir, known: str | None, step: int) -> WeightsAndBiases:
    """The run that it knows already, or a new one."""
    offline = "WANDB_MODE" not in os.environ and not wandb.api.api_key
    made = wandb.init(
        project=os.environ.get("WANDB_PROJECT", PROJECT),
        name=run.path.absolute().name,
        id=known,
        resume="allow",
        dir=str(run.path),
        mode="offline" if offline else None,
        settings=wandb.Settings(silent=True, console="off"),
    )
    return WeightsAndBiases(made)
