"""Commands to a run: the one way in which anything interrupts or changes it.

Signals, time limits, the end of Python and whoever iterates over a run put commands into a queue.
They are applied between two steps, in their order, and written into the metrics log.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import inf, isfinite
from queue import Empty, SimpleQueue
from typing import Any

from ganvas.checkpoints.metadata import MOST
from ganvas.errors import GanvasError
from ganvas.events import Commanded, Event, Notice
from ganvas.registry import did_you_mean
from ganvas.runtime.at_exit import ending
from ganvas.training import TrainingState

FINISHED, GIVEN_UP, CLOSED, END_OF_PYTHON = "finished", "given up", "closed", "the end of Python"
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


Command = Save | Pause | Resume | Stop | Set


class Control:
    """The queue of commands of one run, and what has been obeyed so far."""

    def __init__(self, seconds: float | None = None) -> None:
        """`seconds` is the time limit of the run, over all resumptions."""
        # Of Python's queues the only one that a signal handler may put something into.
        self._queue: SimpleQueue[Command] = SimpleQueue()
        self._seconds = inf if seconds is None else seconds
        self.reason: str | None = None
        """Why the run ends, once it does."""
        self.paused = False

    @property
    def stopped(self) -> bool:
        """Whether no further step is to be made."""
        return self.reason is not None

    def put(self, command: Command) -> None:
        """Ask for something; from any thread, and from a signal handler."""
        self._queue.put(command)

    def apply(self, state: TrainingState, save: Callable[[], Event]) -> Iterator[Event]:
        """Obey what was asked for since the last step, and wait while the run is paused.

        A command that cannot be obeyed is reported and passed over.
        """
        if ending.is_set():
            self.put(Stop(END_OF_PYTHON))
        if self.late(state):
            self.put(Stop(FINISHED))
        while not self.stopped:
            try:
                command = self._next()
            except Empty:
                if not self.paused:
                    return
                if ending.is_set():
                    self.put(Stop(END_OF_PYTHON))
            else:
                yield from self._obey(command, state, save)

    def _next(self) -> Command:
        """The next command, for which a paused run waits; raises Empty."""
        return self._queue.get(timeout=PAUSE) if self.paused else self._queue.get_nowait()

    def _obey(
        self, command: Command, state: TrainingState, save: Callable[[], Event]
    ) -> Iterator[Event]:
        said: Mapping[str, Any] = {}
        match command:
            case Save():
                yield save()
            case Pause():
                self.paused = True
            case Resume():
                self.paused = False
            case Stop(reason):
                self.reason, said = reason, {"reason": reason}
            case Set(setting, value):
                try:
                    change(state, setting, value)
                except CommandError as fault:
                    yield Notice(str(fault))
                    return
                said = {"setting": setting, "value": value}
        yield Commanded(state.step, command.name, said)

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
