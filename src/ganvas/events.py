"""What long jobs report while they run.

The command line, the logs and the studio read these and nothing else. A long job is a generator of
events: whoever iterates over it may stop it by not asking for the next one.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar


@dataclass(frozen=True)
class Preparing:
    """Images are being decoded into the cache: `done` of `total` files."""

    done: int
    total: int


@dataclass(frozen=True)
class Refusal:
    """A file that cannot be used, and why, in words that its owner understands."""

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
    """Images of each class, where images have classes."""


@dataclass(frozen=True)
class Planned:
    """What was chosen for a budget, or a number of images, as a sentence and as settings."""

    sentence: str
    choices: Mapping[str, object]


@dataclass(frozen=True)
class Configured:
    """Every setting of a run that is about to train, by path, such as "game.lr_d", with its origin:
    user, recipe, images, device, plan, search, monitor, resume, or default."""

    settings: Mapping[str, tuple[Any, str]]


@dataclass(frozen=True)
class Commanded:
    """A command has been obeyed between two steps: save, pause, resume, stop, or set."""

    step: int
    command: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TrialProgress:
    """A trial of a search is training: `share` of its part of this round is over."""

    round: int  # from 1, as all numbers here
    rounds: int
    trial: int
    trials: int
    share: float


@dataclass(frozen=True)
class Standing:
    """What a trial has reached: its kernel distance and its error after so many images, NaN
    where it was not finite, and whether it stays in the search."""

    trial: int
    sentence: str
    images: int
    kernel: float
    error: float
    stays: bool


@dataclass(frozen=True)
class RoundFinished:
    """A round of a search is over; the best comes first."""

    round: int
    rounds: int
    standings: tuple[Standing, ...]


@dataclass(frozen=True)
class Notice:
    """Something the user must know: a fallback, a refused setting, a recovered fault."""

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
    """A step whose loss or gradients were not finite: nothing of it was kept."""

    step: int
    reason: str


@dataclass(frozen=True)
class Diagnosis:
    """The doctor has seen an issue: why, in words and figures, and what can be done by hand."""

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
    """The doctor has nothing left to try, and the run is not worth going on with."""

    step: int
    issue: str
    sentence: str


@dataclass(frozen=True)
class Sample:
    """An image of the fixed latents has been written."""

    step: int
    path: Path


@dataclass(frozen=True)
class Scored:
    """A run has been scored at this moment: every metric by name, through this feature network, of
    so many generated images against so many real ones. Scores of other networks, or of other
    numbers of images, do not compare."""

    step: int
    images: int
    features: str
    samples: int
    reals: int
    seed: int
    scores: Mapping[str, float]

    @property
    def compares_with(self) -> tuple[object, ...]:
        """What must be the same for two scores to compare."""
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
    """A feature network has seen `done` of `total` images, which are `real` or `generated`."""

    kind: str
    done: int
    total: int


@dataclass(frozen=True)
class Evaluated:
    """A trained model has been scored: `report` says what was found, `strip` shows, in pairs, the
    samples that are most like a real image, and that image below each, (H, W, C).

    `others` says in a sentence that the images are not those that the model learnt from; None
    where they are, or nobody knows.
    """

    report: Any
    strip: Any
    others: str | None = None


@dataclass(frozen=True)
class StyleIteration:
    """One iteration of repainting an image, `height` x `width` at the moment.

    `scalars` are the losses as they are weighted; `left` is the time still needed, in seconds;
    `image()` is the image as it stands, as the kind that the photograph came in.
    """

    iteration: int
    iterations: int
    height: int
    width: int
    stage: int  # from 1
    seconds: float
    left: float
    scalars: Mapping[str, float]
    image: Callable[[], Any]


@dataclass(frozen=True)
class Stylized:
    """A repainted image is finished, or one stage of its painting is."""

    stage: int
    stages: int
    seconds: float
    image: Any


Event = (
    Preparing
    | Prepared
    | Planned
    | Configured
    | Commanded
    | TrialProgress
    | RoundFinished
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

Result = TypeVar("Result")


def result_of(job: Generator[Event, None, Result]) -> Result:
    """What a long job returns, for whoever has no use for its events."""
    while True:
        try:
            next(job)
        except StopIteration as end:
            result: Result = end.value
            return result
