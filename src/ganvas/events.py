"""Events: what long jobs report while they run.

The command line and the logs read these and nothing else. A long job is a generator of events; to
stop it, stop iterating over it. `as_json` and `from_json` carry them to other processes.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

LOCAL = {"local": True}  # marks what only the process that made the event can have, such as images


@dataclass(frozen=True)
class Preparing:
    """Images are being decoded into the cache: `done` of `total` files."""

    done: int
    total: int


@dataclass(frozen=True)
class Refusal:
    """A file that cannot be used, and the reason in plain words."""

    name: str
    reason: str


@dataclass(frozen=True)
class Prepared:
    """The images are ready: how many are usable, which files were refused."""

    source: str
    usable: int
    refused: tuple[Refusal, ...]
    from_cache: bool
    classes: Mapping[str, int] = field(default_factory=dict)
    """Number of images in each class; empty without classes."""


@dataclass(frozen=True)
class Planned:
    """The plan for a budget or a number of images, as a sentence and as settings."""

    sentence: str
    choices: Mapping[str, object]


@dataclass(frozen=True)
class Configured:
    """Every setting of a run that is about to train, with its origin.

    Settings are named by path, such as "game.lr_d". The origin is one of user, recipe, images,
    device, plan, search, monitor, resume, from (the model that it is fine-tuned from) and default.
    """

    settings: Mapping[str, tuple[Any, str]]


@dataclass(frozen=True)
class Commanded:
    """A command has been executed between two steps: save, pause, resume, stop, or set."""

    step: int
    command: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TrialProgress:
    """A trial of a sweep is training; `share` is how much of its time is over, in [0, 1]."""

    trial: int  # from 1
    trials: int
    share: float


@dataclass(frozen=True)
class TrialFinished:
    """A trial of a sweep has ended after `share` of its time, with these values of what differs.

    `kernel` is its last KID (kernel distance), None where it has none; `pruned` says that it was
    ended because others were better by then.
    """

    trial: int
    trials: int
    values: Mapping[str, Any]
    kernel: float | None
    share: float
    pruned: bool


@dataclass(frozen=True)
class Notice:
    """Something the user must know: a fallback, a refused setting, an error that was handled."""

    sentence: str


@dataclass(frozen=True)
class Step:
    """One step of every player. `images` counts the real images shown since the run began."""

    step: int
    images: int
    seconds: float
    fraction: float
    scalars: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Dropped:
    """A step was undone because its loss or its gradients were not finite."""

    step: int
    reason: str


@dataclass(frozen=True)
class Diagnosis:
    """The doctor has detected an issue: the evidence, and what can be done by hand."""

    step: int
    issue: str
    sentence: str
    figures: Mapping[str, float]
    advice: str


@dataclass(frozen=True)
class Treatment:
    """The doctor has changed the run; the sentence says what."""

    step: int
    issue: str
    sentence: str


@dataclass(frozen=True)
class FollowUp:
    """Whether the last treatment of an issue helped."""

    step: int
    issue: str
    helped: bool


@dataclass(frozen=True)
class GivenUp:
    """The doctor has no treatment left, and the run is not worth continuing."""

    step: int
    issue: str
    sentence: str


@dataclass(frozen=True)
class Sample:
    """A sample grid of the fixed latents has been written."""

    step: int
    path: Path


@dataclass(frozen=True)
class Scored:
    """The scores of a run at this step: every metric by name.

    They compare `samples` generated images with `reals` real ones, in the features of one network.
    Scores of other networks, or of other numbers of images, are not comparable.
    """

    step: int
    images: int
    features: str
    samples: int
    reals: int
    seed: int
    scores: Mapping[str, float]

    @property
    def compares_with(self) -> tuple[object, ...]:
        """What must be equal for two scores to be comparable."""
        return self.features, self.samples, self.reals


@dataclass(frozen=True)
class Saved:
    """A checkpoint has been written and verified."""

    step: int
    path: Path


@dataclass(frozen=True)
class Done:
    """The run has ended: `reason` is `finished`, `given up`, or the name of the signal that stopped
    it."""

    step: int
    images: int
    seconds: float
    reason: str


@dataclass(frozen=True)
class Looking:
    """Features of `done` of `total` images have been computed; `kind` is `real` or `generated`."""

    kind: str
    done: int
    total: int


@dataclass(frozen=True)
class Evaluated:
    """A trained model has been evaluated.

    `report` is the evaluation report. `strip` (H, W, C) shows the samples that are closest to a
    real image, with that image below each. `others` is a sentence saying that the images are not
    the training images of the model; None where they are, or where that is unknown. `warning` says
    that the model has learnt through the network that scores it; None where it has not.
    """

    report: Any = field(metadata=LOCAL)
    strip: Any = field(metadata=LOCAL)
    others: str | None = None
    warning: str | None = None


@dataclass(frozen=True)
class StyleIteration:
    """One iteration of style transfer, at the current size of `height` x `width`.

    `scalars` are the weighted losses, `left` is the estimated time left in seconds. `image()`
    returns the current image, of the same type as the content image.
    """

    iteration: int
    iterations: int
    height: int
    width: int
    stage: int  # from 1
    seconds: float
    left: float
    scalars: Mapping[str, float]
    image: Callable[[], Any] = field(metadata=LOCAL)


@dataclass(frozen=True)
class Stylized:
    """A stylized image, or one stage of it, is finished."""

    stage: int
    stages: int
    seconds: float
    image: Any = field(metadata=LOCAL)


Event = (
    Preparing
    | Prepared
    | Planned
    | Configured
    | Commanded
    | TrialProgress
    | TrialFinished
    | Notice
    | Step
    | Dropped
    | Diagnosis
    | Treatment
    | FollowUp
    | GivenUp
    | Sample
    | Scored
    | Saved
    | Done
    | Looking
    | Evaluated
    | StyleIteration
    | Stylized
)

TYPES: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}


def as_json(event: Event) -> dict[str, Any]:
    """An event as plain values for JSON, with the name of its type under `type`.

    Numbers that are not finite become the strings "NaN", "Infinity" and "-Infinity", since JSON has
    none. Images and other objects are left out; files stand as their paths.
    """
    plain: dict[str, Any] = _plain(event)
    return {"type": type(event).__name__} | plain


def _plain(value: Any) -> Any:
    """A value as JSON has it: objects as their fields, paths as text."""
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value) if not f.metadata}
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return value if value is None or isinstance(value, str | int | float) else str(value)


def from_json(content: Mapping[str, Any]) -> Event:
    """The event of what `as_json` gave; what it left out is None. Raises ValueError."""
    from pydantic import TypeAdapter

    kind = TYPES.get(str(content.get("type")))
    if kind is None:
        raise ValueError(f"no event is called {content.get('type')!r}")
    hints = get_type_hints(kind)
    given = {
        f.name: TypeAdapter(hints[f.name]).validate_python(content[f.name])
        for f in fields(kind)
        if f.name in content
    }
    local = {f.name: None for f in fields(kind) if f.metadata}
    try:
        return kind(**local | given)
    except TypeError as fault:
        raise ValueError(f"{kind.__name__}: {fault}") from None


Result = TypeVar("Result")


def result_of(job: Generator[Event, None, Result]) -> Result:
    """Run a long job to its end, discard its events, and return its result."""
    while True:
        try:
            next(job)
        except StopIteration as end:
            result: Result = end.value
            return result
