"""The signals window of a run: training signals and probes in order of time, for the detectors.

It holds plain numbers, so that a checkpoint can store it and other training loops can fill it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite, nan
from statistics import fmean
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from ganvas.runtime.forms import Count, Finite, Number, rebuild

WINDOW = 16  # steps whose mean is one entry
KEPT = 128  # entries; older ones are in the metrics log only


@dataclass(frozen=True)
class RunFacts:
    """What detectors must know about a run besides its signals."""

    images: Count
    chance: Finite | None = None
    """Loss of a discriminator at chance level; None where the loss has no such value."""
    augmented: bool = False
    """Whether the discriminator sees images that are moved at random; in records without the next
    fact, that are augmented in any way."""
    recoloured: bool = False
    """Whether it sees images whose colours are changed at random."""


@dataclass(frozen=True)
class Reading:
    """Means over a window of steps, or the measurements of a probe."""

    step: Count
    images: Count
    values: Mapping[str, Number]


@dataclass
class SignalsWindow:
    """Training signals and probes of one run."""

    facts: RunFacts
    entries: list[Reading] = field(default_factory=list)
    probes: list[Reading] = field(default_factory=list)
    open: dict[str, Annotated[list[Number], Field(min_length=1)]] = field(default_factory=dict)
    """Values of the current, incomplete window."""
    steps: Count = 0  # in the current window
    dropped: Count = 0  # steps dropped in a row, up to now

    def record(self, step: int, images: int, scalars: Mapping[str, float]) -> bool:
        """Add a step, and return whether it completes a window; no scalars mean a dropped step."""
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
        """Add the measurements of a probe."""
        self.probes = [*self.probes[1 - KEPT :], Reading(step, images, dict(values))]

    def begin_again(self) -> None:
        """Clear the window: the run has been changed, and old numbers do not describe it."""
        self.entries, self.probes, self.open = [], [], {}
        self.steps = self.dropped = 0

    def last(self, name: str, count: int) -> list[float]:
        """A training signal in the last `count` windows that have it, oldest first.

        Returns [] where there are fewer. Windows without the signal do not count, because some
        signals are measured in every other window only; nor do windows in which it was not
        finite."""
        return _last(self.entries, name, count)

    def found(self, name: str, count: int) -> list[float]:
        """The same as `last`, for the last `count` probes."""
        return _last(self.probes, name, count)

    def found_all(self, name: str) -> list[float]:
        """A measurement in all probes that have it, oldest first."""
        return _finite(self.probes, name)

    def mean(self, name: str, count: int) -> float | None:
        """The mean of a training signal over `count` windows; None while there are fewer."""
        values = self.last(name, count)
        return _mean(values) if values else None

    @property
    def step(self) -> int:
        """The step of the last entry."""
        return self.entries[-1].step if self.entries else 0

    def as_plain(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def of_plain(cls, plain: object) -> "SignalsWindow":
        """Rebuild from what `as_plain` returned; raises FormError for anything else."""
        return rebuild(_WINDOW_FORM, plain)


_WINDOW_FORM = TypeAdapter(SignalsWindow)


def _mean(values: list[float]) -> float:
    try:
        return fmean(values)
    except (ValueError, OverflowError):  # infinities of both signs have no mean
        return nan


def _last(entries: list[Reading], name: str, count: int) -> list[float]:
    found = _finite(entries, name)
    return found[-count:] if len(found) >= count else []


def _finite(entries: list[Reading], name: str) -> list[float]:
    """The finite values of a name; NaN means "not measurable", as the floor of three images."""
    found = (entry.values.get(name, nan) for entry in entries)
    return [value for value in found if isfinite(value)]
