"""What a time budget buys on this machine: a network, a batch, and how many pictures will be shown.

With few steps their number counts most, and a small network on small batches takes more of them;
with more steps a large one overtakes it. Where there is a budget a few steps of each choice are
timed, and the last whose steps suffice is taken; where the number of pictures is given nothing has
to be timed.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from ganvas.runtime.activations import exhausted
from ganvas.runtime.timing import timed

SHARE_FOR_STEPS = 0.96  # of the budget: the rest goes to sample grids, checkpoints and this timing
LIMIT = 0.02  # of the budget, for timing one choice, however slow the machine

TimedRound = Callable[[], int]  # makes some steps, and says how many pictures they showed


@dataclass(frozen=True)
class Choice:
    """How large a network is and a batch, and how many steps they need to pay."""

    width: int  # channels of the finest layer
    batch: int
    steps: int
    blocks: int | None = None  # resolutions with a residual block, for a model that has them
    upsampling: str | None = None  # for a model that has a choice
    rate: float | None = None  # of learning, where this batch wants another than the recipe's

    @property
    def network(self) -> dict[str, object]:
        """The settings of the network that are chosen."""
        chosen = {"width": self.width, "blocks": self.blocks, "upsampling": self.upsampling}
        return {name: value for name, value in chosen.items() if value is not None}

    @property
    def rates(self) -> dict[str, float]:
        """The learning rates of both players, where they are chosen."""
        return {} if self.rate is None else {"lr_g": self.rate, "lr_d": self.rate}


# In rising order. Measured: benchmarks/NOTES.md, "Width, batch and budget".
USUAL = (
    Choice(width=16, batch=32, steps=0),
    Choice(width=32, batch=32, steps=1_000),
    Choice(width=32, batch=64, steps=20_000),
    Choice(width=48, batch=64, steps=40_000),
    Choice(width=64, batch=64, steps=80_000),
)
# Of coloured pictures: at 10,000 steps width 48 is level with 32; when blocks pay is a guess.
COMPACT = (
    Choice(width=16, batch=32, blocks=0, steps=0),
    Choice(width=32, batch=32, blocks=0, steps=1_500),
    Choice(width=48, batch=32, blocks=0, steps=15_000),
    Choice(width=48, batch=32, blocks=2, steps=60_000),
    Choice(width=64, batch=32, blocks=2, steps=120_000),
)
# Without colours there is less to learn: steps count more. Twice the batch wants twice the rate.
COMPACT_GREY = (
    Choice(width=16, batch=32, upsampling="learnt", steps=0),
    Choice(width=16, batch=64, upsampling="learnt", rate=0.04, steps=1_000),
    Choice(width=24, batch=32, steps=3_000),
    Choice(width=32, batch=32, steps=5_000),
    Choice(width=32, batch=64, steps=40_000),
    Choice(width=48, batch=64, steps=80_000),
)


PYRAMID = (  # several layers at every resolution, each as wide as others' one
    Choice(width=8, batch=32, steps=0),
    Choice(width=16, batch=32, steps=1_500),
    Choice(width=32, batch=32, steps=20_000),
    Choice(width=48, batch=64, steps=80_000),
)


def rows(model: str, channels: int) -> tuple[Choice, ...]:
    """What a plan chooses from, for a model and pictures of so many channels."""
    if model == "compact":
        return COMPACT_GREY if channels == 1 else COMPACT
    return PYRAMID if model in ("progressive", "msg", "stylegan") else USUAL


@dataclass(frozen=True)
class Plan:
    """A choice and a number of pictures that fill the budget."""

    choice: Choice
    images: int
    rate: float  # pictures a second, as timed

    def sentence(self, budget: float) -> str:
        """The plan in words."""
        return (
            f"{_spoken(budget)} on this machine: width {self.choice.width}, batch "
            f"{self.choice.batch}, about {self.images:,} pictures at {self.rate:,.0f} a second"
        )


def choices(table: Sequence[Choice], settled: Mapping[str, Any]) -> list[Choice]:
    """The choices that are left when some of a row is settled already; alike ones in a row once."""
    left: list[Choice] = []
    for row in table:
        choice = replace(row, **settled)
        if not left or replace(choice, steps=left[-1].steps) != left[-1]:
            left.append(choice)
    return left


def fitting(left: Sequence[Choice], images: int) -> Choice:
    """The last of the choices whose steps so many pictures are enough for; the first needs none."""
    return [choice for choice in left if images // choice.batch >= choice.steps][-1]


def plan(
    budget: float,
    left: list[Choice],
    rounds_of: Callable[[Choice], list[TimedRound]],
    untimed: int = 0,
) -> Plan:
    """The best use of `budget` seconds.

    `rounds_of(choice)` are steps to be timed: several where a model grows, each for an equal share
    of the pictures; so many of each are made first that are not timed, however short the budget.
    """
    began = time.monotonic()
    made: Plan | None = None
    for choice in left:
        if made is not None and made.images // choice.batch < choice.steps:
            break  # not even the quicker choice before it would take as many steps
        rounds = rounds_of(choice)
        limit = LIMIT * budget / len(rounds)
        try:
            for steps in rounds * untimed:
                steps()
            seconds = fmean([_seconds_a_picture(steps, limit) for steps in rounds])
        except Exception as fault:
            if made is None or not exhausted(fault):
                raise
            break  # wider does not fit into memory; what was timed before does
        time_left = budget - (time.monotonic() - began)
        affordable = max(1, int(time_left * SHARE_FOR_STEPS / (seconds * choice.batch)))
        if made is None or affordable >= choice.steps:
            made = Plan(choice, affordable * choice.batch, 1 / seconds)
    assert made is not None, "a plan needs at least one choice"
    return made


def _seconds_a_picture(steps: TimedRound, limit: float) -> float:
    """The quickest of several rounds, unless they take longer than `limit` seconds together.

    Whatever else the machine does only makes rounds slower, and a run that was promised too many
    pictures ends with its time, while one that was promised too few leaves some of it unused.
    """
    return min(seconds / shown for seconds, shown in timed(steps, limit))


def _spoken(seconds: float) -> str:
    for unit, size in (("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds >= size:
            amount = f"{seconds / size:.3g}"
            return f"{amount} {unit}{'' if amount == '1' else 's'}"
    return f"{seconds:.1f} seconds"
