"""The training loop, a generator of events: iterate over it to run it, and stop to stop it."""

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from ganvas.data.loader import FEWEST, Loader
from ganvas.errors import GanvasError
from ganvas.events import Dropped, Event, Notice, Step
from ganvas.models import GenerativeModel
from ganvas.runtime import activations, distributed
from ganvas.training import ema
from ganvas.training.optim import NonFiniteError, Scalars
from ganvas.training.state import TrainingState

PATIENCE = 50  # dropped steps in a row after which a run is given up


class DivergedError(GanvasError, ArithmeticError):
    """The losses or gradients have stayed NaN or infinite."""


class Trainer(Protocol):
    """How a kind of model is trained. The cost of a step repeats every `round` steps."""

    @property
    def round(self) -> int:
        """Number of steps to time together."""

    def start(self, model: GenerativeModel, seed: int) -> TrainingState:
        """The state before the first step."""

    def step(self, state: TrainingState, loader: Loader, fraction: float) -> Scalars:
        """Make one step of every player, and return what to log; raises NonFiniteError."""


class Callback(Protocol):
    """Is called after every step, may change the run, and reports what it did as events."""

    def watch(self, state: TrainingState, step: Step) -> Iterator[Event]:
        """Called after each step."""


class StepControl(Protocol):
    """Controls a run from outside, between two steps only."""

    @property
    def stopped(self) -> bool:
        """Whether the run must make no further step."""

    def between_steps(self) -> Generator[Event, None, float]:
        """Execute the commands received since the last step; returns seconds spent paused."""


class Uncontrolled:
    """A control without any commands."""

    stopped = False

    def between_steps(self) -> Generator[Event, None, float]:
        """Do nothing."""
        yield from ()
        return 0.0


@dataclass(frozen=True)
class Goal:
    """The number of images after which a run ends by itself. Time limits are commands."""

    images: int

    def fraction(self, state: TrainingState) -> float:
        """Fraction of the run that is done, in [0, 1], by images: time would not resume exactly."""
        return min(1.0, state.images / self.images)

    def reached(self, state: TrainingState) -> bool:
        """Whether all images have been shown."""
        return state.images >= self.images


def train(
    trainer: Trainer,
    state: TrainingState,
    loader: Loader,
    goal: Goal,
    averaging: float,
    callbacks: Sequence[Callback] = (),
    control: StepControl = Uncontrolled(),  # noqa: B008  # it has no state
) -> Iterator[Event]:
    """Make steps until the goal is reached or a command stops the run.

    Every callback is called after every step. `averaging` is the `share` of `ema.decay`.
    """
    in_a_row, before = 0, time.monotonic()
    while not goal.reached(state):
        before += yield from control.between_steps()  # a pause is no time of training
        if control.stopped:
            return
        seen = state.images
        try:
            scalars, in_a_row = _step(trainer, state, loader, goal, averaging), 0
        except NonFiniteError as fault:
            scalars, in_a_row = {}, in_a_row + 1
            state.dropped += 1
            yield Dropped(state.step + 1, str(fault))
            if in_a_row == PATIENCE:
                raise DivergedError(_advice(state)) from fault
        except Exception as fault:
            if not activations.exhausted(fault):
                raise
            if distributed.place().count > 1:
                raise activations.NotEnoughMemoryError(_too_large(state)) from fault
            state.images = seen
            yield Notice(_in_smaller_micro_batches(state, loader.count))
            continue
        state.step += 1
        state.seconds, before = state.seconds + time.monotonic() - before, time.monotonic()
        step = Step(
            state.step, state.images, state.seconds, goal.fraction(state), _numbers(scalars)
        )
        # All callbacks run before the step is yielded: stopping there leaves none of them behind.
        said = [event for callback in callbacks for event in callback.watch(state, step)]
        yield step
        yield from said


def follow(
    trainer: Trainer,
    state: TrainingState,
    loader: Loader,
    goal: Goal,
    averaging: float,
    orders: Iterable[object],
) -> None:
    """Make the steps that the first process of a run makes: one for each of its orders."""
    in_a_row = 0
    for _ in orders:
        try:
            _step(trainer, state, loader, goal, averaging)
            in_a_row = 0
        except NonFiniteError as fault:  # in every process alike
            in_a_row += 1
            state.dropped += 1
            if in_a_row == PATIENCE:
                raise DivergedError(_advice(state)) from fault
        except Exception as fault:
            if not activations.exhausted(fault):
                raise
            raise activations.NotEnoughMemoryError(_too_large(state)) from fault
        state.step += 1


def _step(
    trainer: Trainer, state: TrainingState, loader: Loader, goal: Goal, averaging: float
) -> Scalars:
    """One step of all players, over all processes, and of the average; raises NonFiniteError."""
    seen = state.images
    with distributed.together():
        scalars = trainer.step(state, loader, goal.fraction(state))
    lived = state.images - state.began
    kept = ema.decay(averaging / state.fresher, lived, state.images - seen)
    ema.update(state.average, state.model.generator, kept)
    return scalars


def _too_large(state: TrainingState) -> str:
    return (
        f"process {distributed.place().rank} ran out of memory in step {state.step + 1:,}; go on "
        f"with --resume --accumulate {2 * state.accumulate}, which divides its part of a batch."
    )


def _in_smaller_micro_batches(state: TrainingState, batch: int) -> str:
    """Double the number of micro-batches, and return a sentence saying so.

    The step is then repeated; its first attempt may have moved the discriminator already.
    Raises NotEnoughMemoryError where micro-batches would be too small.
    """
    if batch // (2 * state.accumulate) < FEWEST:
        raise activations.NotEnoughMemoryError(
            f"there is not enough memory for {FEWEST} images at once; take a smaller --size or "
            "--width, and --resume from the last checkpoint or begin again."
        )
    state.accumulate *= 2
    return (
        f"Out of memory in step {state.step + 1:,}: gradient accumulation is on from now on, with "
        f"{state.accumulate} micro-batches of {batch // state.accumulate} for a batch of {batch}; "
        "this is slower."
    )


def _numbers(scalars: Scalars) -> dict[str, float]:
    """Scalars as numbers, in one transfer: on a GPU each `item` would wait for the device."""
    if not scalars:
        return {}
    return dict(zip(scalars, torch.stack([*scalars.values()]).tolist(), strict=True))


def _advice(state: TrainingState) -> str:
    return (
        f"training diverged: {PATIENCE} steps in a row up to step {state.step + 1} gave no finite "
        "loss; resume from the last checkpoint with lower learning rates (--lr-g, --lr-d)."
    )
