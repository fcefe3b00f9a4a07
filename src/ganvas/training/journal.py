"""The journal of a run: metrics.jsonl, one line at even intervals of pictures."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

from ganvas.events import Diagnosis, Dropped, Event, FollowUp, GivenUp, Scored, Step, Treatment
from ganvas.training.state import TrainingState

LINES = 1000  # in a whole run, however long it is
NAMES = {
    Diagnosis: "diagnosis", Treatment: "treatment", FollowUp: "follow-up", GivenUp: "given up",
}  # fmt: skip


class Journal:
    """Writes the mean of every scalar since the last line; steps that were dropped are counted."""

    def __init__(self, path: Path, interval: int) -> None:
        self.path = path
        self.interval = interval  # pictures from one line to the next
        self.due = 0
        self.seen: dict[str, list[float]] = {}

    @classmethod
    def of_run(cls, path: Path, images: int) -> "Journal":
        """Of a run that shows so many pictures in all."""
        return cls(path, max(1, images // LINES))

    def watch(self, state: TrainingState, step: Step) -> Iterator[Event]:
        """Write a line when one is due."""
        self.record(step, state.dropped)
        yield from ()

    def record(self, step: Step, dropped: int) -> None:
        """The same of a step whose run has dropped so many."""
        for name, value in step.scalars.items():
            self.seen.setdefault(name, []).append(value)
        if step.images >= self.due and self.seen:
            self.due = step.images - step.images % self.interval + self.interval
            means = {name: float(f"{fmean(values):.5g}") for name, values in self.seen.items()}
            self.seen.clear()
            where = {"step": step.step, "images": step.images, "seconds": round(step.seconds, 2)}
            self.append(where | {"dropped": dropped} | means)

    def append(self, line: dict[str, Any]) -> None:
        """One more line, in the file when this returns."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def note(self, event: Event) -> None:
        """Write down something that is not a step."""
        match event:
            case Dropped():
                self.append({"step": event.step, "event": "dropped", "reason": event.reason})
            case Scored():
                line = asdict(event)
                found = line.pop("scores")
                self.append({"event": "scored"} | line | found)
            case Diagnosis() | Treatment() | FollowUp() | GivenUp():
                self.append({"event": NAMES[type(event)], **asdict(event)})


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of a journal; one cut short by a crash is passed over, it was never finished."""
    if not path.exists():
        return []
    lines = []
    for line in path.read_text("utf-8").splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            continue
    return lines


def forget_after(path: Path, step: int) -> None:
    """Drop what came after `step`: a resumed run will live it again."""
    kept = [json.dumps(line) + "\n" for line in read(path) if line["step"] <= step]
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text("".join(kept), "utf-8")
    os.replace(unfinished, path)
