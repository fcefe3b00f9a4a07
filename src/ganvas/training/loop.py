"""The training loop. It is a generator of events: whoever wants to watch or stop a run iterates."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from ganvas.data.loader import FEWEST, Loader
from ganvas.errors import GanvasError
from ganvas.events import Dropped, Event, Notice, Step
from ganvas.models import GenerativeModel
from ganvas.runtime import activations
from ganvas.training import ema
from ganvas.training.optim import NonFiniteError, Scalars
from ganvas.training.state import TrainingState

PATIENCE = 50  # steps that may be dropped in a row before a run is given up


class DivergedError(GanvasError, ArithmeticError):
    """Nothing finite comes out of the networks any more."""


class Trainer(Protocol):
    """A way of learning. What a step costs repeats itself every `round` steps."""

    @property
    def round(self) -> int:
        """How many steps to time together."""

    def start(self, model: GenerativeModel, seed: int) -> TrainingState:
        """A run that has not begun."""

    def step(self, state: TrainingState, feed: Loader, fraction: float) -> Scalars:
        """Every player moves once; raises NonFiniteError."""


class Callback(Protocol):
    """Sees every step, may act on the run, and says in events what it did."""

    def watch(self, state: TrainingState, step: Step) -> Iterator[Event]:
        """Called after each step."""


class StepControl(Protocol):
    """What may interrupt a run, between two steps and nowhere else."""

    @property
    def stopped(self) -> bool:
        """Whether no further step is to be made."""

    def between_steps(self) -> Iterator[Event]:
        """Obey what was asked for since the last step."""


class Uncontrolled:
    """A run that nobody interrupts."""

    stopped = False

    def between_steps(self) -> Iterator[Event]:
        """Nothing."""
        yield from ()


@dataclass(frozen=True)
class Goal:
    """When a run ends by itself: after this many images. Time limits are commands."""

    images: int

    def fraction(self, state: TrainingState) -> float:
        """How much of the run is done, in [0, 1], by images: a clock would not resume exactly."""
        return min(1.0, state.images / self.images)

    def reached(self, state: TrainingState) -> bool:
        """Whether there is nothing left to do."""
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
    """Steps until the goal, or until a command stops them, each seen by every callback.

    `averaging` is ema.decay's share.
    """
    in_a_row, before = 0, time.monotonic()
    while not goal.reached(state):
        yield from control.between_steps()
        if control.stopped:
            return
        seen = state.images
        try:
            scalars = trainer.step(state, loader, goal.fraction(state))
            lived = state.images - state.began
            kept = ema.decay(averaging / state.fresher, lived, state.images - seen)
            ema.update(state.average, state.model.generator, kept)
            in_a_row = 0
        except NonFiniteError as fault:
            scalars, in_a_row = {}, in_a_row + 1
            state.dropped += 1
            yield Dropped(state.step + 1, str(fault))
            if in_a_row == PATIENCE:
                raise DivergedError(_advice(state)) from fault
        except Exception as fault:
            if not activations.exhausted(fault):
                raise
            state.images = seen
            yield Notice(_in_smaller_micro_batches(state, loader.count))
            continue
        state.step += 1
        state.seconds, before = state.seconds + time.monotonic() - before, time.monotonic()
        step = Step(
            state.step, state.images, state.seconds, goal.fraction(state), _numbers(scalars)
        )
        # Everybody has seen a step before it is told: who stops then leaves nobody behind.
        said = [event for callback in callbacks for event in callback.watch(state, step)]
        yield step
        yield from said


def _in_smaller_micro_batches(state: TrainingState, batch: int) -> str:
    """Work a batch in twice as many micro-batches from now on, and say so; raises
    NotEnoughMemoryError.

    A step that is begun again has perhaps moved the discriminator once already.
    """
    if batch // (2 * state.accumulate) < FEWEST:
        raise activations.NotEnoughMemoryError(
            f"there is not enough memory for {FEWEST} images at once; take a smaller --size or "
            "--width, and --resume from the last checkpoint or begin again."
        )
    state.accumulate *= 2
    return (
        f"Out of memory in step {state.step + 1:,}: from now on a batch of {batch} is worked in "
        f"{state.accumulate} micro-batches of {batch // state.accumulate}, more slowly."
    )


def _numbers(scalars: Scalars) -> dict[str, float]:
    """All at once: on a GPU each single number would wait for the device."""
    if not scalars:
        return {}
    return dict(zip(scalars, torch.stack([*scalars.values()]).tolist(), strict=True))


def _advice(state: TrainingState) -> str:
    return (
        f"training diverged: {PATIENCE} steps in a row up to step {state.step + 1} gave no finite "
        "loss; resume from the last checkpoint with lower learning rates (--lr-g, --lr-d)."
    )
