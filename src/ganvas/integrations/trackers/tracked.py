"""Tell trackers what a run reports while it trains, from the run's own files.

RUN/trackers.json keeps how far each tracker has been told, and by which id it knows the run: a
resumed run goes on there, and tells nothing twice.
"""

import json
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ganvas.checkpoints.run_dir import RunDir
from ganvas.config import yaml as run_yaml
from ganvas.errors import GanvasError
from ganvas.events import Configured, Done, Event, Notice
from ganvas.integrations.trackers.tracker import TRACKERS, Library, Settings, Tracker
from ganvas.registry import choose
from ganvas.runs.follow import EVERY, news
from ganvas.runtime.atomic import write_text
from ganvas.runtime.names import condense

MEMORY = "trackers.json"
NO_SCALARS = {"step", "event", "samples", "reals"}


class TrackerError(GanvasError, ValueError):
    """A tracker whose library is not installed."""


def tracked(events: Iterator[Event], out: str | Path, names: Sequence[str]) -> Iterator[Event]:
    """The events of a run, which are also told to trackers, about once a second and at the end.

    Args:
        events: of `ganvas.train`.
        out: the directory of the run.
        names: of TRACKERS.

    Raises:
        UnknownNameError: there is no tracker of such a name.
        TrackerError: its library is not installed.
    """
    libraries = {name: choose("tracker", TRACKERS, name) for name in names}
    for name, library in libraries.items():
        if find_spec(library.package) is None:
            raise TrackerError(f"{name} is not installed: pip install 'ganvas[{library.extra}]'.")
    return _tracked(events, RunDir(Path(out)), libraries)


def _tracked(
    events: Iterator[Event], run: RunDir, libraries: Mapping[str, Library]
) -> Iterator[Event]:
    told: list[_Told] = []
    due = 0.0
    try:
        for event in events:
            if time.monotonic() >= due or isinstance(event, Done):
                due = time.monotonic() + EVERY
                yield from _look(run, told)
            yield event
            if isinstance(event, Configured):
                told = [_Told(run, name, library) for name, library in libraries.items()]
    finally:
        if isinstance(events, Generator):
            events.close()  # the run is saved, and has said why it ended
        for _ in _look(run, told):
            pass
        for one in told:
            one.close()


def _look(run: RunDir, told: Sequence["_Told"]) -> Iterator[Event]:
    """Tell each tracker what is new; a notice for each one that has failed."""
    for one in told:
        fault = one.look(run)
        if fault is not None:
            yield Notice(f"{one.name} cannot be told of the run, which goes on without it: {fault}")


class _Told:
    """One tracker, and how far it has been told."""

    def __init__(self, run: RunDir, name: str, library: Library) -> None:
        self.name, self.library = name, library
        self.memory = run.path / MEMORY
        self.tracker: Tracker | None = None
        self.failed = False
        self.finished = False
        self.position = ""  # in the metrics log
        known = _read(self.memory).get(name, {})
        self.far = _Far(int(known.get("step", -1)), int(known.get("lines", 0)))
        self.id: str | None = known.get("id")

    def look(self, run: RunDir) -> str | None:
        """Tell what has been added to the log; returns why that has failed, once."""
        if self.failed:
            return None
        try:
            tracker = self.tracker or self._opened(run)
            found = news(run, self.position)
            if found.again:  # rewritten since: what was told is passed over
                self.far.again()
            self.position = found.position
            for line in found.lines:
                if self.far.is_new(line["step"]):
                    self._tell(tracker, run, line)
        except Exception as fault:  # whatever the library raises: a full disk, no network, no login
            self.failed = True
            return condense(f"{type(fault).__name__}: {fault}") or type(fault).__name__
        return None

    def _opened(self, run: RunDir) -> Tracker:
        module = import_module(f"ganvas.integrations.trackers.{self.library.module}")
        opened: Callable[[RunDir, str | None, int], Tracker] = module.opened
        known = self.id
        self.tracker = opened(run, known, self.far.step)
        if self.tracker.id != known:
            self.id = self.tracker.id
            self.tracker.settings(_flat(run_yaml.read(run.settings)))
            self.remember()
        return self.tracker

    def _tell(self, tracker: Tracker, run: RunDir, line: Mapping[str, Any]) -> None:
        step, event = line["step"], line.get("event")
        match event:
            case None | "scored":
                if values := _numbers(line):
                    tracker.scalars(step, values)
            case "sample":
                if (sheet := run.samples / str(line.get("file"))).is_file():
                    tracker.samples(step, sheet)
            case "diagnosis" | "treatment" | "given up":
                tracker.finding(step, f"{event}, {line.get('issue')}: {line.get('sentence')}")
            case "follow-up":
                helped = "it helped" if line.get("helped") else "it did not help"
                tracker.finding(step, f"{event}, {line.get('issue')}: {helped}.")
            case "command":
                rest = {k: v for k, v in line.items() if k not in ("step", "event", "command")}
                tracker.finding(step, f"command, {line.get('command')}: {rest}")
            case "done":
                self.finished = line.get("reason") == "finished"

    def remember(self) -> None:
        """Write down how far the tracker has been told."""
        said = {"id": self.id, "step": self.far.step, "lines": self.far.lines}
        write_text(self.memory, json.dumps(_read(self.memory) | {self.name: said}, indent=1))

    def close(self) -> None:
        """The run has ended."""
        if self.tracker is None:
            return
        with suppress(Exception):  # as above: nothing of it may end a run
            self.tracker.close(self.finished)
        with suppress(GanvasError):
            self.remember()


class _Far:
    """How far a tracker has been told: the step of the last line, and how many lines of it."""

    def __init__(self, step: int, lines: int) -> None:
        self.step, self.lines = step, lines
        self.again()

    def again(self) -> None:
        """The log is read from its beginning."""
        self._seen = 0  # lines of `step`

    def is_new(self, step: int) -> bool:
        """Whether a line has not been told yet; from then on it has."""
        if step < self.step:
            return False
        if step > self.step:
            self.step, self.lines, self._seen = step, 1, 1
            return True
        self._seen += 1
        if self._seen <= self.lines:
            return False
        self.lines = self._seen
        return True


def _numbers(line: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in line.items()
        if name not in NO_SCALARS and isinstance(value, int | float) and not isinstance(value, bool)
    }


def _flat(content: Mapping[str, Any], before: str = "") -> Settings:
    """Settings by path; those that are not set are left out."""
    found: dict[str, str | int | float | bool] = {}
    for name, value in content.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{before}{name}.")
        elif value is not None:
            plain = isinstance(value, str | int | float | bool)
            found[f"{before}{name}"] = value if plain else str(value)
    return found


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """What has been remembered; nothing where that is missing or damaged."""
    with suppress(OSError, ValueError):
        content = json.loads(path.read_text("utf-8"))
        if isinstance(content, dict) and all(isinstance(one, dict) for one in content.values()):
            return content
    return {}
