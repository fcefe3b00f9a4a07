"""What a time budget buys on this machine: a network, a batch, threads, and a number of images.

With few steps their number counts most, and a small network on small batches takes more of them;
with more steps a large one overtakes it. Where there is a budget a few steps of each row of the
model's budget table are timed, and the last whose steps suffice is taken; where the number of
images is given nothing has to be timed.
"""

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import torch

from ganvas.config import Config, Origin, resolve
from ganvas.data.loader import FEWEST
from ganvas.events import Event, Notice, Planned
from ganvas.models import BudgetRow
from ganvas.runs.build import Build
from ganvas.runtime.activations import (
    GIGABYTE,
    Kept,
    Need,
    NotEnoughMemoryError,
    exhausted,
    need,
)
from ganvas.runtime.distributed import place
from ganvas.runtime.parallel import usable_cores
from ganvas.runtime.threads import fastest, using
from ganvas.runtime.timing import time_calls

SHARE_FOR_STEPS = 0.96  # of the budget: the rest goes to sample grids, checkpoints and this timing
LIMIT = 0.02  # of the budget, for timing one row, however slow the machine
TIMING_SHARE, LONGEST_TIMING = 0.02, 2.0  # of the budget, and seconds, for choosing threads
MEASURED = 4, 8  # images in the batches whose memory is measured

TimedRound = Callable[[], int]  # makes some steps, and says how many images they showed


@dataclass(frozen=True)
class Plan:
    """A run that can begin: what it is built of, and how long, on how many threads, in how many
    micro-batches it trains."""

    build: Build
    images: int
    threads: int
    micro_batches: int = 1

    @property
    def config(self) -> Config:
        """With what was planned, as run.yaml holds it."""
        config, training = self.build.config, self.build.config.training
        planned = {"images": self.images, "threads": self.threads}
        if training.memory is not None:
            planned["accumulate"] = self.micro_batches
        changes = {n: value for n, value in planned.items() if value != getattr(training, n)}
        return config.with_values({"training": changes}, Origin.PLAN)


@dataclass(frozen=True)
class Choice:
    """A row of the budget table, and a number of images that fill the budget with it."""

    row: BudgetRow
    images: int
    rate: float  # images a second, as timed

    def sentence(self, budget: float) -> str:
        """The choice in words."""
        return (
            f"{_in_words(budget)} on this machine: width {self.row.width}, batch {self.row.batch}, "
            f"about {self.images:,} images at {self.rate:,.0f} a second"
        )


def choose_threads(build: Build) -> int:
    """As many threads as pay on this machine, now, unless a number was said."""
    training = build.config.training
    if training.threads is not None:
        return training.threads
    if (here := place()).count > 1:
        return max(1, usable_cores() // here.local_count)
    if build.device.type != "cpu":
        return torch.get_num_threads()
    limit = TIMING_SHARE * (training.budget or LONGEST_TIMING / TIMING_SHARE)
    with using(1):  # on a busy machine more of them may take fifty times as long
        step = with_row(build, rows(build)[0]).timed_step()
    return fastest(step, min(limit, LONGEST_TIMING))


def make_plan(build: Build, threads: int, spent: float) -> Generator[Event, None, Plan]:
    """The best use of a budget of which `spent` seconds are gone or promised, or of a number of
    images.

    Raises NotEnoughMemoryError where not even the smallest micro-batch fits.
    """
    training, left = build.config.training, rows(build)
    if training.images is not None:
        row, images = fitting(left, training.images), training.images
        sentence = f"{images:,} images: width {row.width}, batch {row.batch}"
    else:
        assert training.budget is not None, "resolve leaves one of them"
        untimed = int(build.device.type != "cpu")  # a GPU's first round loads kernels
        chosen = choose(
            training.budget - spent,
            left,
            lambda row: with_row(build, row).timed_rounds(),
            untimed,
        )
        row, images, sentence = chosen.row, chosen.images, chosen.sentence(training.budget)
    build = with_row(build, row)
    yield Planned(sentence, _chosen_values(build, images))
    return Plan(build, images, threads, (yield from micro_batches(build)))


def rows(build: Build) -> list[BudgetRow]:
    """What a plan may choose from: what was said, and what the recipe wants, is fixed."""
    config = build.config
    table = config.spec.budget_table(build.dataset.shape[0], config.taught)
    network, lr = vars(config.network), ("lr_g", "lr_d")
    fixed: dict[str, object] = {
        name: value
        for name, value in [*network.items(), ("batch", config.training.batch)]
        if name in ("width", "blocks", "upsampling", "batch")
        and config.origin("training" if name == "batch" else "network", name)
        not in (Origin.DEFAULT, Origin.PLAN)
    }
    if "batch" in fixed:  # a run.yaml older than a row of the table starts the same run again
        fixed = {"lr": None, "upsampling": None} | fixed
    if any(
        config.origin("game", name) in (Origin.USER, Origin.RESUME, Origin.SEARCH) for name in lr
    ):
        fixed["lr"] = None
    return choices(table, fixed)


def choices(table: Sequence[BudgetRow], fixed: dict[str, object]) -> list[BudgetRow]:
    """The rows that are left when some of their values are fixed; equal neighbours once."""
    left: list[BudgetRow] = []
    for one in table:
        row = replace(one, **fixed)  # type: ignore[arg-type]  # of fields of a row
        if not left or replace(row, steps=left[-1].steps) != left[-1]:
            left.append(row)
    return left


def fitting(left: Sequence[BudgetRow], images: int) -> BudgetRow:
    """The last of the rows whose steps so many images are enough for; the first needs none."""
    return [row for row in left if images // row.batch >= row.steps][-1]


def choose(
    budget: float,
    left: Sequence[BudgetRow],
    rounds_of: Callable[[BudgetRow], Sequence[TimedRound]],
    untimed: int = 0,
) -> Choice:
    """The best use of `budget` seconds, with one of the rows that are left.

    `rounds_of(row)` are rounds to be timed, of which each is run `untimed` times first.
    """
    began = time.monotonic()
    best: Choice | None = None
    for row in left:
        if best is not None and best.images // row.batch < row.steps:
            break  # not even the quicker row before it would take as many steps
        try:
            rounds, spent = rounds_of(row), time.monotonic() - began
            images, rate = affordable(budget, rounds, row.batch, untimed, spent)
        except Exception as fault:
            if best is None or not exhausted(fault):
                raise
            break  # wider does not fit into memory; what was timed before does
        if best is None or images // row.batch >= row.steps:
            best = Choice(row, images, rate)
    assert best is not None, "a plan needs at least one row"
    return best


def affordable(
    budget: float, rounds: Sequence[TimedRound], batch: int, untimed: int = 0, spent: float = 0.0
) -> tuple[int, float]:
    """How many images `budget` seconds, of which some are spent, buy in whole batches, one at
    least; and at how many a second.

    `rounds` are steps to be timed: several where a model grows, each for an equal share of the
    images; each is run `untimed` times first, however short the budget.
    """
    began, limit = time.monotonic(), LIMIT * budget / len(rounds)
    found = []
    for steps in rounds:
        for _ in range(untimed):  # right before: a model that has grown does not shrink again
            steps()
        # The first process times alone what all will do.
        found.append(_seconds_an_image(steps, limit) / place().count)
    seconds = fmean(found)
    left = budget - spent - (time.monotonic() - began)
    return max(1, int(left * SHARE_FOR_STEPS / (seconds * batch))) * batch, 1 / seconds


def micro_batches(build: Build) -> Generator[Event, None, int]:
    """In as few micro-batches as fit into the memory that may be used, unless a number was said.

    Raises NotEnoughMemoryError where none do.
    """
    training = build.config.training
    if training.memory is None or training.accumulate is not None:
        return training.accumulate or 1
    needed, batch = memory_need(build), training.batch
    most = needed.most(training.memory)
    if most < min(batch, FEWEST):
        raise NotEnoughMemoryError(
            f"--memory {_gigabytes(training.memory)}: {FEWEST} images at once need about "
            f"{_gigabytes(needed.of(FEWEST))} with this model; allow more, or take a smaller "
            "--size or --width."
        )
    count = -(-batch // most)
    at_once = -(-batch // count)
    parts = "undivided" if count == 1 else f"divided into {count} micro-batches of {at_once}"
    yield Notice(
        f"{_gigabytes(training.memory)} of memory: a batch of {batch} is {parts}, about "
        f"{_gigabytes(needed.of(at_once))}."
    )
    return count


def memory_need(build: Build) -> Need:
    """The most of all stages: measured on steps of a few images of a throw-away run.

    The first step of all is the one with every penalty.
    """

    def kept(count: int) -> int:
        peaks = []
        changes = {"training": {"batch": count}}
        small = build.resolved(build.config.with_values(changes, Origin.PLAN))
        for fraction in state.model.stages:
            stage = small.initial_state()
            counted = Kept(stage.model)
            with counted.watching():
                small.trainer.step(stage, small.loader, fraction)
            peaks.append(counted.peak)
        return max(peaks)

    state = build.initial_state()
    return need(state.model, state.average, kept, MEASURED)


def with_row(build: Build, row: BudgetRow) -> Build:
    """Built of what this row of the budget table makes of the same request."""
    config, dataset = build.config, build.dataset
    bf16 = config.training.precision == "bf16"
    return build.resolved(resolve(config.request, dataset.shape, dataset.usable, bf16, row))


def _chosen_values(build: Build, images: int) -> dict[str, object]:
    """What was chosen, by name."""
    config = build.config
    chosen = config.chosen_by(Origin.PLAN)
    flat = {name: value for of in chosen.values() for name, value in of.items()}
    given = {} if config.training.images is not None else {"images": images}
    return {"width": config.network.width, "batch": config.training.batch} | flat | given


def _seconds_an_image(steps: TimedRound, limit: float) -> float:
    """The quickest of several rounds, unless they take longer than `limit` seconds together.

    Whatever else the machine does only makes rounds slower, and a run that was promised too many
    images ends with its time, while one that was promised too few leaves some of it unused.
    """
    return min(seconds / shown for seconds, shown in time_calls(steps, limit))


def _gigabytes(size: float) -> str:
    return f"{size / GIGABYTE:.1f} GB"


def _in_words(seconds: float) -> str:
    for unit, size in (("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds >= size:
            amount = f"{seconds / size:.3g}"
            return f"{amount} {unit}{'' if amount == '1' else 's'}"
    return f"{seconds:.1f} seconds"
