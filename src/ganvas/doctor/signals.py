"""The signals window of a run: what has been measured, in the order of time, for detectors to read.

Plain numbers, so that a checkpoint can hold them, and whoever trains elsewhere can fill one.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite, nan
from statistics import fmean
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from ganvas.runtime.forms import Count, Finite, Number, rebuild

WINDOW = 16  # steps whose mean is one entry
KEPT = 128  # entries: older ones are in the metrics log


@dataclass(frozen=True)
class RunFacts:
    """What detectors must know of a run beside its numbers."""

    images: Count
    chance: Finite | None = None
    """Loss of a discriminator that cannot tell the kinds apart; None where no loss says so."""
    augmented: bool = False
    """Whether images are varied before they are judged."""


@dataclass(frozen=True)
class Reading:
    """Means over a window of steps, or what was found in an probe."""

    step: Count
    images: Count
    values: Mapping[str, Number]


@dataclass
class SignalsWindow:
    """Vitals and probes of one run."""

    facts: RunFacts
    entries: list[Reading] = field(default_factory=list)
    probes: list[Reading] = field(default_factory=list)
    open: dict[str, Annotated[list[Number], Field(min_length=1)]] = field(default_factory=dict)
    """The window that is being filled."""
    steps: Count = 0  # in it
    dropped: Count = 0  # steps in a row, up to now, that gave nothing finite

    def record(self, step: int, images: int, scalars: Mapping[str, float]) -> bool:
        """Add a step, dropped if it has no scalars; whether a window is complete with it."""
        self.dropped = 0 if scalars else self.dropped + 1
        for name, value in scalars.items():
            self.open.setdefault(name, []).append(value)
        self.steps += 1
        if self.steps < WINDOW:
            return False
        means = {name: _mean(values) for name, values in self.open.items()}
        self.entries = [*self.entries[1 - KEPT :], Reading(step, images, means)]
        self.open, self.steps = {}, 0
        return True

    def add_probe(self, step: int, images: int, values: Mapping[str, float]) -> None:
        """Add what an probe found."""
        self.probes = [*self.probes[1 - KEPT :], Reading(step, images, dict(values))]

    def begin_again(self) -> None:
        """Forget what was seen: the run has been changed, and old numbers say nothing of it."""
        self.entries, self.probes, self.open = [], [], {}
        self.steps = self.dropped = 0

    def last(self, name: str, count: int) -> list[float]:
        """A training signal in the last `count` windows that have it, oldest first; [] where there
        are fewer.

        Windows without it do not count: some training signals are measured in every other one. Nor
        do those in which it was not finite."""
        return _last(self.entries, name, count)

    def found(self, name: str, count: int) -> list[float]:
        """The same of the last probes."""
        return _last(self.probes, name, count)

    def found_all(self, name: str) -> list[float]:
        """The same of all probes that have it."""
        return _finite(self.probes, name)

    def mean(self, name: str, count: int) -> float | None:
        """The mean of a training signal over `count` windows; None while there are fewer."""
        values = self.last(name, count)
        return _mean(values) if values else None

    @property
    def step(self) -> int:
        """Of the last entry."""
        return self.entries[-1].step if self.entries else 0

    def as_plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def of_plain(cls, plain: object) -> "SignalsWindow":
        """What `as_plain` gave; raises FormError for anything else."""
        return rebuild(_WINDOW_FORM, plain)


_WINDOW_FORM = TypeAdapter(SignalsWindow)


def _mean(values: list[float]) -> float:
    try:
        return fmean(values)
    except (ValueError, OverflowError):  # of infinities of both signs there is none
        return nan


def _last(entries: list[Reading], name: str, count: int) -> list[float]:
    found = _finite(entries, name)
    return found[-count:] if len(found) >= count else []


def _finite(entries: list[Reading], name: str) -> list[float]:
    """What is no number says nothing, such as how far apart two halves of three images are."""
    found = (entry.values.get(name, nan) for entry in entries)
    return [value for value in found if isfinite(value)]
