"""The metrics log of a run for a plot: a few thousand points, however long the log is.

Lines are read at even distances in the file: a log of a million lines costs no more than one
of ten thousand. Events are found by the word that only their lines have.
"""

import mmap
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganvas.training.callbacks.log import content

POINTS = 2000
EVENT, DROPPED = b'"event"', "dropped"
MOST_EVENTS, MOST_LINES = 2000, 20_000  # the last ones, and so many lines are read for them


@dataclass(frozen=True)
class Curves:
    """Numbers of a metrics log by name, all as long as `images`; None where a line has none."""

    columns: dict[str, list[float | None]]
    events: list[dict[str, Any]]
    position: int  # bytes of the log that are in it


def read(path: Path, points: int = POINTS) -> Curves:
    """At most about `points` lines of a metrics log, evenly spaced, and its events."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            end = data.rfind(b"\n") + 1
            return Curves(_columns(_spread(data, end, points)), _events(data, end), end)
    except (OSError, ValueError):  # there is none yet, or it is empty
        return Curves({}, [], 0)


def _spread(data: mmap.mmap, end: int, points: int) -> list[dict[str, Any]]:
    """Lines at even distances, the first and the last one among them."""
    starts = {0}
    for number in range(1, points):
        start = data.rfind(b"\n", 0, max(1, end * number // points)) + 1
        starts.add(start)
    if end:
        starts.add(data.rfind(b"\n", 0, end - 1) + 1)
    return [line for start in sorted(starts) if (line := _line(data, start, end)) is not None]


def _line(data: mmap.mmap, start: int, end: int) -> dict[str, Any] | None:
    stop = data.find(b"\n", start, end)
    found = content(data[start : stop if stop >= 0 else end])
    return None if found is None else dict(found)


def _events(data: mmap.mmap, end: int) -> list[dict[str, Any]]:
    """The last events, in order. Their `images` are those of the line before.

    Dropped steps that follow each other are one event, of the last of them, with the `first` step
    and how many `times`: there may be thousands, which would hide what led to them.
    """
    found: list[dict[str, Any]] = []
    at = end
    for _ in range(MOST_LINES):
        if len(found) == MOST_EVENTS or (at := data.rfind(EVENT, 0, at)) < 0:
            break
        start = data.rfind(b"\n", 0, at) + 1
        line = _line(data, start, end)
        at = start
        if line is None:
            continue
        if found and line.get("event") == found[-1].get("event") == DROPPED:
            after = found[-1]
            after |= {"first": line.get("step"), "times": after.get("times", 1) + 1}
            continue
        line.setdefault("images", _images_before(data, start))
        found.append(line)
    return found[::-1]


def _images_before(data: mmap.mmap, start: int) -> int:
    at = data.rfind(b'"images"', 0, start)
    if at < 0:
        return 0
    line = _line(data, data.rfind(b"\n", 0, at) + 1, start)
    return int(line["images"]) if line and "images" in line else 0


def _columns(lines: list[dict[str, Any]]) -> dict[str, list[float | None]]:
    """Numbers by name, of lines that say after how many images they are."""
    kept: list[dict[str, Any]] = []
    for line in lines:
        if "images" not in line or "event" in line:
            continue
        if kept and kept[-1]["images"] == line["images"]:  # a score, after the step that it is of
            kept[-1] = kept[-1] | line
        else:
            kept.append(line)
    names = dict.fromkeys(name for line in kept for name in line)
    found: dict[str, list[float | None]] = {}
    for name in names:
        with suppress(TypeError, ValueError):
            found[name] = [_number(line.get(name)) for line in kept]
    return found


def _number(value: Any) -> float | None:
    """A finite number, or None: JSON has no other."""
    if value is None or isinstance(value, bool):
        return None
    number = float(value)
    return number if abs(number) < float("inf") else None
