"""What long jobs report while they run.

The command line, the logs and the studio read these and nothing else. A long job is a generator of
events: whoever iterates over it may stop it by not asking for the next one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Preparing:
    """Pictures are being decoded into the cache: `done` of `total` files."""

    done: int
    total: int


@dataclass(frozen=True)
class Refusal:
    """A file that cannot be used, and why, in words that its owner understands."""

    name: str
    reason: str


@dataclass(frozen=True)
class Prepared:
    """The pictures are ready: how many are usable, which files were refused."""

    source: str
    usable: int
    refused: tuple[Refusal, ...]
    from_cache: bool


@dataclass(frozen=True)
class Planned:
    """What was chosen for this machine and this budget, as a sentence and as settings."""

    sentence: str
    choices: Mapping[str, object]


@dataclass(frozen=True)
class Notice:
    """Something the user must know: a fallback, a refused setting, a recovered fault."""

    sentence: str


@dataclass(frozen=True)
class Step:
    """One step of every player. `images` counts the real pictures shown since the run began."""

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
class Sample:
    """A picture of the fixed latents has been written."""

    step: int
    path: Path


@dataclass(frozen=True)
class Saved:
    """A checkpoint has been written and verified."""

    step: int
    path: Path


@dataclass(frozen=True)
class Done:
    """The run has ended: `reason` is `finished`, or the name of the signal that stopped it."""

    step: int
    images: int
    seconds: float
    reason: str


Event = Preparing | Prepared | Planned | Notice | Step | Dropped | Sample | Saved | Done
