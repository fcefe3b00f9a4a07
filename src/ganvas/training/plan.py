"""What a time budget buys on this machine: a width, and how many pictures will be shown.

In a minute steps count most, and a narrow network takes more of them; with more time a wide one
overtakes it. A few steps of each width are timed, and the widest whose steps suffice is taken.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median

WARM_UP, TIMED = 3, 5  # steps; the first ones allocate memory and choose kernels
SHARE_FOR_STEPS = 0.96  # of the budget: the rest goes to sample grids, checkpoints and this timing

LIMIT = 0.02  # of the budget, for timing one width, however slow the machine

# Width of the finest layer -> steps below which a narrower network is the better use of the time.
# Measured: benchmarks/NOTES.md, "Width and budget".
STEPS_NEEDED = {16: 0, 32: 1_500, 48: 10_000, 64: 30_000}

TimedStep = Callable[[], None]


@dataclass(frozen=True)
class Plan:
    """A width and a number of pictures that fill the budget."""

    width: int | None  # None for models that have no choice of width
    images: int
    rate: float  # pictures a second, as timed
    spent: float  # seconds that making the plan took

    def sentence(self, budget: float) -> str:
        """The plan in words."""
        width = f"width {self.width}, " if self.width else ""
        return (
            f"{_spoken(budget)} on this machine: {width}about {self.images:,} pictures "
            f"at {self.rate:,.0f} a second"
        )


def plan(
    budget: float, batch: int, widths: list[int | None], step_of: Callable[[int | None], TimedStep]
) -> Plan:
    """The best use of `budget` seconds. `step_of(width)` makes a training step to be timed."""
    began = time.monotonic()
    chosen: Plan | None = None
    for width in widths:
        if chosen is not None and chosen.images // batch < STEPS_NEEDED.get(width or 0, 0):
            break  # a wider network would take no more steps than this one
        seconds = _timed(step_of(width), LIMIT * budget)
        spent = time.monotonic() - began
        steps = max(1, int((budget - spent) * SHARE_FOR_STEPS / seconds))
        if chosen is None or steps >= STEPS_NEEDED.get(width or 0, 0):
            chosen = Plan(width, steps * batch, batch / seconds, spent)
    assert chosen is not None, "a plan needs at least one width"
    return replace(chosen, spent=time.monotonic() - began)


def _timed(step: TimedStep, limit: float) -> float:
    """Seconds of one step, from several unless they take longer than `limit` together."""
    began, taken = time.monotonic(), [_seconds(step)]
    while len(taken) < WARM_UP + TIMED and time.monotonic() - began < limit:
        taken.append(_seconds(step))
    return median(taken[WARM_UP:] or taken[-1:])


def _seconds(step: TimedStep) -> float:
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def _spoken(seconds: float) -> str:
    for unit, size in (("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds >= size:
            amount = f"{seconds / size:.3g}"
            return f"{amount} {unit}{'' if amount == '1' else 's'}"
    return f"{seconds:.1f} seconds"
