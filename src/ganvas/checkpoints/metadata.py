"""What a checkpoint or an exported generator says of its run, held to one typed form."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, with_config
from typing_extensions import TypedDict  # that of Python 3.11 cannot be read by pydantic

from ganvas.errors import GanvasError
from ganvas.runtime.forms import Count, Finite, FormError, Number, Text, Whole, shaped


class CheckpointError(GanvasError, RuntimeError):
    """A checkpoint that cannot be written or read; the message says which file and what to do."""


MOST = {"d_steps": 1000, "augment_share": 1, "label_smoothing": 1}  # of knobs that have an end


def _are_usable(knobs: dict[str, float]) -> dict[str, float]:
    if beyond := [name for name, most in MOST.items() if knobs.get(name, 0) > most]:
        raise ValueError(f"{beyond[0]} cannot be more than {MOST[beyond[0]]}")
    return knobs


def _has_kernel(scores: dict[str, float]) -> dict[str, float]:
    if "kernel" not in scores:
        raise ValueError("there is no kernel distance among them")
    return scores


def _has_channels(shape: list[int]) -> list[int]:
    if shape[0] not in (1, 3, 4):
        raise ValueError("there are images of 1, 3 and 4 channels")
    return shape


def _differ(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError("a class is there twice")
    return names


@with_config(ConfigDict(extra="ignore"))
class ScoredMetadata(TypedDict):
    """What a checkpoint says of the score of its moment."""

    step: Count
    images: Count
    features: Text
    samples: Count
    reals: Count
    seed: Whole
    scores: Annotated[dict[str, Number], AfterValidator(_has_kernel)]


Side = Annotated[int, Field(strict=True, ge=1, le=4096)]
Named = Annotated[dict[str, Any], Field(strict=True)]


@with_config(ConfigDict(extra="allow"))
class RunMetadata(TypedDict, total=False):
    """What a checkpoint or an exported generator says of its run.

    Of these, each says what it has: the checkpoint of a candidate in a race has no model, an
    exported generator no state, and older ones lack what did not exist. What a newer ganvas adds
    is passed on as it is.
    """

    ganvas: Text
    torch: Text
    model: Text
    network: Named
    shape: Annotated[list[Side], Field(min_length=3, max_length=3), AfterValidator(_has_channels)]
    classes: Annotated[list[Text], Field(max_length=100_000), AfterValidator(_differ)]
    game: Named
    precision: Text
    pictures: Text
    source: Text
    seed: Whole
    rank: Count
    step: Count
    images: Count
    seconds: Annotated[Finite, Field(ge=0)]
    dropped: Count
    accumulate: Annotated[Count, Field(ge=1, le=65_536)]
    enlarged: Annotated[Count, Field(ge=1, le=1024)]
    fresher: Annotated[Finite, Field(ge=1)]
    paired: Annotated[bool, Field(strict=True)]
    began: Count
    knobs: Annotated[dict[str, Annotated[Finite, Field(ge=0)]], AfterValidator(_are_usable)]
    records: Named
    settings: Named
    score: Number
    scored: ScoredMetadata


_RUN_FORM = TypeAdapter(RunMetadata)


class Facts(dict[str, Any]):
    """RunMetadata that has been held to its form; what is missing is an error with a sentence."""

    def __init__(self, content: Mapping[str, object], where: Path | str) -> None:
        super().__init__(content)
        self.where = where

    def __missing__(self, name: str) -> Any:
        raise CheckpointError(
            f"{self.where} does not say its {name!r}: it is not the checkpoint of such a run."
        )


def facts_of(content: object, where: Path | str) -> Facts:
    """What a file says of its run, held to its form; raises CheckpointError, which names it."""
    if not isinstance(content, dict):
        raise CheckpointError(f"{where} is damaged: it holds no facts.")
    try:
        run: RunMetadata = shaped(_RUN_FORM, content)
    except FormError as fault:
        raise CheckpointError(f"{where} is damaged: {fault}.") from None
    return Facts(run, where)
