"""The metrics log of a run: metrics.jsonl, one line at even intervals of images."""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from io import FileIO
from pathlib import Path
from statistics import fmean
from typing import (
    Any,
    Required,  # Python 3.11's cannot be read by pydantic
)

from pydantic import ConfigDict, TypeAdapter, with_config
from typing_extensions import TypedDict

from ganvas.checkpoints.patches import line_of_log
from ganvas.events import (
    Commanded,
    Diagnosis,
    Done,
    Dropped,
    Event,
    FollowUp,
    GivenUp,
    Notice,
    Sample,
    Saved,
    Scored,
    Step,
    Treatment,
)
from ganvas.runtime.atomic import write_bytes
from ganvas.runtime.forms import Count, FormError, Number, Text, parse, validate
from ganvas.runtime.system import system_errors
from ganvas.training.state import TrainingState

LINES = 1000  # in a whole run, however long it is
TAIL = 2**18  # bytes of a log that tell how a run stands
NAMES = {
    Diagnosis: "diagnosis", Treatment: "treatment", FollowUp: "follow-up", GivenUp: "given up",
}  # fmt: skip

FILES = {Saved: "saved", Sample: "sample"}


@with_config(ConfigDict(extra="allow"))
class Line(TypedDict, total=False):
    """The fields of a line that readers rely on; other fields are passed on unchanged."""

    step: Required[Count]
    images: Count
    seconds: Number
    dropped: Count
    event: Text
    issue: Text
    sentence: Text
    features: Text
    samples: Count
    reals: Count
    loss: Number
    loss_d: Number
    loss_g: Number
    d_real: Number
    d_fake: Number
    logit_gap: Number
    reconstruction: Number
    divergence: Number
    score: Number
    kernel: Number
    precision: Number
    recall: Number
    coverage: Number


_LINE = TypeAdapter(Line)


class MetricsLog:
    """Callback that writes the mean of every scalar since the last line."""

    def __init__(self, path: Path, interval: int, step: int = 0) -> None:
        self.path = path
        self.interval = interval  # images from one line to the next
        self.step = step  # the last one of the run
        self.due = 0
        self.seen: dict[str, list[float]] = {}

    @classmethod
    def of_run(cls, path: Path, images: int, step: int = 0) -> "MetricsLog":
        """The log of a run that shows `images` images in total, and has made so many steps."""
        return cls(path, max(1, images // LINES), step)

    def watch(self, state: TrainingState, step: Step) -> Iterator[Event]:
        """Write a line when one is due."""
        self.record(step, state.dropped)
        yield from ()

    def record(self, step: Step, dropped: int) -> None:
        """Record a step, and write a line when one is due; `dropped` counts the run's so far."""
        self.step = step.step
        for name, value in step.scalars.items():
            self.seen.setdefault(name, []).append(value)
        if step.images >= self.due and self.seen:
            self.due = step.images - step.images % self.interval + self.interval
            means = {name: float(f"{fmean(values):.5g}") for name, values in self.seen.items()}
            self.seen.clear()
            where = {"step": step.step, "images": step.images, "seconds": round(step.seconds, 2)}
            self.append(where | {"dropped": dropped} | means)

    def append(self, line: dict[str, Any]) -> None:
        """Append a line, completely or not at all; raises PlaceError."""
        data = json.dumps(line).encode() + b"\n"
        with system_errors(self.path), self.path.open("a+b", buffering=0) as file:
            before = file.seek(0, os.SEEK_END)
            try:
                _write_all(file, _missing_break(file, before) + data)
            except OSError:
                with suppress(OSError):
                    file.truncate(before)
                raise

    def note(self, event: Event) -> None:
        """Write an event other than a step, if it belongs in the log."""
        match event:
            case Dropped():
                self.append({"step": event.step, "event": "dropped", "reason": event.reason})
            case Scored():
                line = asdict(event)
                found = line.pop("scores")
                self.append({"event": "scored"} | line | found)
            case Commanded():
                line = {"step": event.step, "event": "command", "command": event.command}
                self.append(line | dict(event.details))
            case Diagnosis() | Treatment() | FollowUp() | GivenUp():
                self.append({"event": NAMES[type(event)], **asdict(event)})
            case Notice():
                self.append({"step": self.step, "event": "notice", "sentence": event.sentence})
            case Saved() | Sample():
                line = {"step": event.step, "event": FILES[type(event)], "file": event.path.name}
                self.append(line)
            case Done():
                line = {"step": event.step, "event": "done", "reason": event.reason}
                self.append(line | {"seconds": round(event.seconds, 2), "shown": event.images})


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of a metrics log, without foreign lines and lines cut short by a crash.

    Returns [] where there is no such file.
    """
    found = (content(line) for line in _lines(path))
    return [dict(line) for line in found if line is not None]


def tail(path: Path, size: int = TAIL) -> list[dict[str, Any]]:
    """The lines in the last `size` bytes of a metrics log; [] where there is no such file."""
    if not path.is_file():
        return []
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(0, end - size))
        first, *others = file.read().splitlines() or [b""]
    found = (content(line) for line in ([first, *others] if end <= size else others))
    return [dict(line) for line in found if line is not None]


def forget_after(path: Path, step: int) -> None:
    """Delete the lines after `step`, which a resumed run will write again.

    Foreign lines stay. Raises PlaceError.
    """
    lines = _lines(path)
    if lines and content(lines[-1]) is None and not lines[-1].endswith(b"\n"):
        lines.pop()  # cut short
    contents = [content(line) for line in lines]
    kept = [n for n, found in enumerate(contents) if found is None or found["step"] <= step]
    data = b"".join(lines[n].removesuffix(b"\n") + b"\n" for n in kept)
    if data != b"".join(_lines(path)):
        write_bytes(path, data)


def _lines(path: Path) -> list[bytes]:
    """The lines of a file, with their line breaks."""
    return path.read_bytes().splitlines(keepends=True) if path.is_file() else []


def content(line: bytes) -> Line | None:
    """The content of a line; None where it is no line of a metrics log."""
    try:
        found = parse(line)
        return validate(_LINE, line_of_log(found) if isinstance(found, dict) else found)
    except FormError:
        return None


def _write_all(file: FileIO, data: bytes) -> None:
    view = memoryview(data)
    while view:  # a disk that is filling up may take only a part
        view = view[file.write(view) :]


def _missing_break(file: FileIO, size: int) -> bytes:
    """A line break if the last line of the file lacks one, else nothing."""
    if not size:
        return b""
    file.seek(size - 1)
    return b"" if file.read(1) == b"\n" else b"\n"
