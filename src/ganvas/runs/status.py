"""How far a run is: status.json, which a run writes about once a second while it trains.

Whoever watches a run reads this file and the metrics log, and needs nothing from the process.
"""

import json
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from math import inf
from pathlib import Path

from pydantic import TypeAdapter

from ganvas.events import Commanded, Done, Event, Step
from ganvas.runs.control import Pause, Resume
from ganvas.runtime.atomic import write_passing
from ganvas.runtime.forms import Count, FormError, Number, Text, parse, rebuild
from ganvas.runtime.system import PlaceError, read_regular
from ganvas.training import TrainingState

EVERY = 1.0  # seconds from one writing to the next
RECENT = 15.0  # seconds over which the speed is measured
RUNNING, PAUSED = "running", "paused"


@dataclass(frozen=True)
class Status:
    """What status.json says; `state` is running, paused, or the reason why the run ended."""

    state: Text
    step: Count
    images: Count
    goal: Count  # images, after which the run ends by itself
    seconds: Number  # of training, over all resumptions
    speed: Number  # images per second, of the last seconds
    left: Number | None  # seconds, estimated; None if nothing says
    written: Number  # when, in seconds since 1970


_STATUS = TypeAdapter(Status)


def read(path: Path) -> Status | None:
    """What a status file says; None where there is none, or no whole one."""
    with suppress(OSError, FormError):
        return rebuild(_STATUS, parse(read_regular(path)))
    return None


class StatusWriter:
    """Callback that writes status.json about once a second, and whenever the state changes."""

    def __init__(
        self,
        path: Path,
        goal: int,
        budget: float | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`goal` is in images, `budget` in seconds of training; the run ends with the first."""
        self.path, self.goal, self.budget, self.clock = path, goal, budget, clock
        self.due = 0.0
        self.passed: deque[tuple[float, int]] = deque()  # seconds trained, and images by then

    def watch(self, state: TrainingState, step: Step) -> Iterator[Event]:
        """Write when it is due."""
        self.passed.append((step.seconds, step.images))
        while self.passed[-1][0] - self.passed[0][0] > RECENT and len(self.passed) > 2:
            self.passed.popleft()
        if self.clock() >= self.due:
            self.write(RUNNING, state)
        yield from ()

    def note(self, event: Event, state: TrainingState) -> None:
        """Write at once when the run is paused, goes on or ends."""
        match event:
            case Commanded(command=Pause.name):
                self.write(PAUSED, state)
            case Commanded(command=Resume.name):
                self.write(RUNNING, state)
            case Done(reason=reason):
                self.write(reason, state)

    def write(self, what: str, state: TrainingState) -> None:
        """Write the file now; a run does not end because it cannot be written."""
        self.due = self.clock() + EVERY
        speed = self.speed
        status = Status(
            what,
            state.step,
            state.images,
            self.goal,
            round(state.seconds, 2),
            float(f"{speed:.4g}"),
            self._left(state, speed),
            round(time.time(), 2),
        )
        with suppress(PlaceError):
            write_passing(self.path, json.dumps(asdict(status)))

    @property
    def speed(self) -> float:
        """Images per second of training, of the last seconds; 0 before there are two steps."""
        if len(self.passed) < 2:
            return 0.0
        (before, fewer), (now, more) = self.passed[0], self.passed[-1]
        return (more - fewer) / (now - before) if now > before else 0.0

    def _left(self, state: TrainingState, speed: float) -> float | None:
        by_images = (self.goal - state.images) / speed if speed else inf
        by_time = inf if self.budget is None else self.budget - state.seconds
        left = max(0.0, min(by_images, by_time))
        return round(left, 1) if left < inf else None
