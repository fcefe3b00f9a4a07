"""The metadata of a checkpoint or an exported generator, typed and versioned."""

import json
from dataclasses import asdict, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from ganvas.checkpoints.patches import FORMAT, patch
from ganvas.errors import GanvasError
from ganvas.runtime.forms import Count, Finite, FormError, Number, Text, Whole, validate


class CheckpointError(GanvasError, RuntimeError):
    """A checkpoint cannot be written or read; the message says which file and what to do."""


# Upper limits of live hyperparameters that have one.
MOST = {"d_steps": 1000, "augment_share": 1, "label_smoothing": 1}


def _are_usable(live: dict[str, float]) -> dict[str, float]:
    if beyond := [name for name, most in MOST.items() if live.get(name, 0) > most]:
        raise ValueError(f"{beyond[0]} cannot be more than {MOST[beyond[0]]}")
    return live


def _has_kernel(scores: dict[str, float]) -> dict[str, float]:
    if "kernel" not in scores:
        raise ValueError("there is no KID among them")
    return scores


def _has_channels(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    if shape[0] not in (1, 3, 4):
        raise ValueError("there are images of 1, 3 and 4 channels")
    return shape


def _differ(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError("a class is there twice")
    return names


TYPED = ConfigDict(extra="ignore")  # a newer ganvas of the same format may say more

Side = Annotated[int, Field(strict=True, ge=1, le=4096)]
Named = Annotated[dict[str, Any], Field(strict=True)]
Seconds = Annotated[Finite, Field(ge=0)]
Live = Annotated[dict[str, Annotated[Finite, Field(ge=0)]], AfterValidator(_are_usable)]


@dataclass(frozen=True, config=TYPED)
class ModelMetadata:
    """What is needed to build the networks."""

    name: Text
    network: Named
    shape: Annotated[tuple[Side, Side, Side], AfterValidator(_has_channels)]
    classes: Annotated[tuple[Text, ...], Field(max_length=100_000), AfterValidator(_differ)] = ()


@dataclass(frozen=True, config=TYPED)
class DatasetMetadata:
    """The training images of a run."""

    key: Text
    source: Text | None = None
    usable: Count | None = None


@dataclass(frozen=True, config=TYPED)
class StateMetadata:
    """All numbers in the state of a run."""

    seed: Whole
    rank: Count
    step: Count
    images: Count
    seconds: Seconds
    dropped: Count
    live: Live
    """Current values of the live hyperparameters."""
    accumulate: Annotated[Count, Field(ge=1, le=65_536)] = 1
    enlarged: Annotated[Count, Field(ge=1, le=1024)] = 1
    fresher: Annotated[Finite, Field(ge=1)] = 1.0
    paired: Annotated[bool, Field(strict=True)] = False
    began: Count = 0


@dataclass(frozen=True, config=TYPED)
class ScoredMetadata:
    """The scores of a checkpoint."""

    step: Count
    images: Count
    features: Text
    samples: Count
    reals: Count
    seed: Whole
    scores: Annotated[dict[str, Number], AfterValidator(_has_kernel)]


@dataclass(frozen=True, config=TYPED)
class RunMetadata:
    """The metadata of a checkpoint or an exported generator.

    Each has only some of the fields: a trial of a search has no model of its own, an exported
    generator has no state beyond how long it was trained.
    """

    ganvas: Text = ""
    torch: Text = ""
    model: ModelMetadata | None = None
    dataset: DatasetMetadata | None = None
    config: Named = field(default_factory=dict)
    """The configuration, as in run.yaml."""
    origins: dict[str, Text] = field(default_factory=dict)
    """The origin of each value of the configuration, by path."""
    state: StateMetadata | None = None
    pretrained: dict[str, Text] = field(default_factory=dict)
    """The frozen networks through which the model learnt, with the SHA-256 of their weights."""
    records: Named = field(default_factory=dict)
    """The records of callbacks, by their names."""
    score: Number | None = None
    scored: ScoredMetadata | None = None
    images: Count | None = None
    """In an exported generator: real images shown in training."""
    seconds: Seconds | None = None
    """In an exported generator: training time in seconds."""
    processes: Count = 1
    """How many processes trained the run together when it was saved."""

    def as_json(self) -> str:
        """The content of the metadata file."""
        return json.dumps(asdict(self), indent=1)


_FORM = TypeAdapter(RunMetadata)


def metadata_of(content: object, version: int, where: Path | str) -> RunMetadata:
    """The metadata in a file of this format; raises CheckpointError with the file's name."""
    if not isinstance(content, dict):
        raise CheckpointError(f"{where} is damaged: it describes no run.")
    try:
        return validate(_FORM, patch(content, version))
    except FormError as fault:
        raise CheckpointError(f"{where} is damaged: {fault}.") from None


def model_of(metadata: RunMetadata, where: Path | str) -> ModelMetadata:
    """What is needed to build the networks; raises CheckpointError where that is missing."""
    if metadata.model is None:
        raise CheckpointError(f"{where} does not say its 'model': {_FOREIGN}.")
    return metadata.model


def state_of(metadata: RunMetadata, where: Path | str) -> StateMetadata:
    """The state of the run; raises CheckpointError where that is missing."""
    if metadata.state is None:
        raise CheckpointError(f"{where} does not say its 'step': {_FOREIGN}.")
    return metadata.state


_FOREIGN = "it is not the checkpoint of a run"

__all__ = ["FORMAT", "CheckpointError", "RunMetadata", "metadata_of", "model_of", "state_of"]
