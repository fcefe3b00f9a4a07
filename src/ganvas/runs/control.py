"""Commands to a run: the one way in which anything interrupts or changes it.

Signals, time limits, the end of Python, other processes (through a mailbox) and whoever iterates
over a run put commands into a queue. They are applied between two steps, in their order, answered,
and written into the metrics log.
"""

import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from math import inf, isfinite
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from ganvas.checkpoints.metadata import MOST, CheckpointError
from ganvas.errors import GanvasError
from ganvas.events import Commanded, Event, Notice
from ganvas.registry import did_you_mean
from ganvas.runtime.at_exit import ending
from ganvas.training import TrainingState

FINISHED, GIVEN_UP, CLOSED, END_OF_PYTHON = "finished", "given up", "closed", "the end of Python"
STOPPED = "stopped"  # by a command from another process
PAUSE = 0.2  # seconds from one look into the queue of a paused run to the next


class CommandError(GanvasError, ValueError):
    """A command that cannot be obeyed; the message says why."""


@dataclass(frozen=True)
class Save:
    """Write a checkpoint now."""

    name = "save"


@dataclass(frozen=True)
class Pause:
    """Make no step until the run is resumed or stopped."""

    name = "pause"


@dataclass(frozen=True)
class Resume:
    """Go on after a pause."""

    name = "resume"


@dataclass(frozen=True)
class Stop:
    """Save and end; the reason is what the run says of its end."""

    reason: str = CLOSED
    name = "stop"


@dataclass(frozen=True)
class Set:
    """Change a live hyperparameter, such as lr_g."""

    setting: str
    value: float
    name = "set"


@dataclass(frozen=True)
class Label:
    """Mark this moment in the metrics log and on the loss curves with a text."""

    text: str
    name = "label"


Command = Save | Pause | Resume | Stop | Set | Label


@dataclass(frozen=True)
class Answer:
    """What became of a command: the step after which it was applied, or why it was not."""

    step: int
    refused: str | None = None


Reply = Callable[[Answer], None]


class Mailbox(Protocol):
    """Where commands of other processes arrive."""

    def collect(self) -> list[tuple[Command, Reply]]:
        """The commands that have arrived since the last call, in their order."""


class Closed:
    """A mailbox into which nobody can put anything."""

    def collect(self) -> list[tuple[Command, Reply]]:
        """Nothing."""
        return []


class Control:
    """The queue of commands of one run, and what has been obeyed so far."""

    def __init__(self, seconds: float | None = None, mailbox: Mailbox | None = None) -> None:
        """`seconds` is the time limit of the run, over all resumptions."""
        # Of Python's queues the only one that a signal handler may put something into.
        self._queue: SimpleQueue[tuple[Command, Reply]] = SimpleQueue()
        self._mailbox = Closed() if mailbox is None else mailbox
        self._seconds = inf if seconds is None else seconds
        self.reason: str | None = None
        """Why the run ends, once it does."""
        self.paused = False

    @property
    def stopped(self) -> bool:
        """Whether no further step is to be made."""
        return self.reason is not None

    def put(self, command: Command, reply: Reply = lambda answer: None) -> None:
        """Ask for something; from any thread, and from a signal handler.

        `reply` is called with the answer, between two steps.
        """
        self._queue.put((command, reply))

    def apply(
        self,
        state: TrainingState,
        save: Callable[[], Event],
        waiting: Callable[[], object] = lambda: None,
    ) -> Generator[Event, None, float]:
        """Obey what was asked for since the last step, and wait while the run is paused.

        A command that cannot be obeyed is reported and passed over. `waiting` is called every now
        and then while the run is paused. Returns the seconds for which it was.
        """
        seconds = 0.0
        if ending.is_set():
            self.put(Stop(END_OF_PYTHON))
        if self.late(state):
            self.put(Stop(FINISHED))
        while not self.stopped:
            looked, paused = time.monotonic(), self.paused
            for command, reply in self._mailbox.collect():
                self.put(command, reply)
            try:
                command, reply = self._next()
            except Empty:
                if not paused:
                    break
                waiting()
                if ending.is_set():
                    self.put(Stop(END_OF_PYTHON))
            else:
                refused = yield from self._obey(command, state, save)
                reply(Answer(state.step, refused))
            seconds += paused * (time.monotonic() - looked)
        return seconds

    def _next(self) -> tuple[Command, Reply]:
        """The next command, for which a paused run waits; raises Empty."""
        return self._queue.get(timeout=PAUSE) if self.paused else self._queue.get_nowait()

    def _obey(
        self, command: Command, state: TrainingState, save: Callable[[], Event]
    ) -> Generator[Event, None, str | None]:
        """Execute a command; returns why it cannot be executed, or None."""
        said: Mapping[str, Any] = {}
        refused: str | None = None
        match command:
            case Save():
                try:
                    yield save()
                except CheckpointError as fault:  # a full disk: training may yet outlast that
                    refused = str(fault)
                    yield Notice(refused)
            case Pause():
                self.paused = True
            case Resume():
                self.paused = False
            case Stop(reason):
                self.reason, said = reason, {"reason": reason}
            case Set(setting, value):
                said = {"setting": setting, "value": value}
                try:
                    change(state, setting, value)
                except CommandError as fault:
                    refused = str(fault)
                    yield Notice(refused)
            case Label(text):
                said = {"text": text}
        if refused is not None:
            said = {**said, "refused": refused}
        yield Commanded(state.step, command.name, said)
        return refused

    def late(self, state: TrainingState) -> bool:
        """Whether the time of the run is over."""
        return state.seconds >= self._seconds


def change(state: TrainingState, setting: str, value: float) -> None:
    """Set a live hyperparameter; raises CommandError for one that does not exist, or a value that
    it cannot have."""
    if setting not in state.live:
        raise CommandError(
            f"no live setting is called {setting!r}{did_you_mean(setting, state.live)}"
        )
    if not isfinite(value) or not 0 <= value <= MOST.get(setting, inf):
        raise CommandError(f"{setting} cannot be {value:g}.")
    state.live[setting] = float(value)
