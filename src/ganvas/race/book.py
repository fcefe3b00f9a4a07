"""RUN/race: who runs, how far each has come, and what it scored; it outlives the process.

RUN/race/race.json      settings as planned, candidates, and every heat that is over
RUN/race/candidate-3/   a checkpoint of each that is still in the race, after its last heat
RUN/race/candidate-3.png    some of its pictures, as they were in its last heat
RUN/race/race.png       all of that as a picture
"""

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from math import inf
from pathlib import Path

from ganvas import checkpoint
from ganvas.checkpoint import CheckpointError
from ganvas.config import Nested
from ganvas.race.candidates import Changes
from ganvas.sheets import grid, write_png
from ganvas.training import TrainingState
from ganvas.training.sampling import COLUMNS, paint_batches, preview_latents, to_bytes


@dataclass(frozen=True)
class Heat:
    """What one candidate reached in one round."""

    round: int  # from 0
    candidate: int
    images: int  # that it has been shown, in all its rounds
    kernel: float | None  # None where it was not finite
    error: float

    @property
    def distance(self) -> float:
        """What ranks it: nothing is worse than what is not finite."""
        return inf if self.kernel is None else self.kernel


@dataclass
class Book:
    """What is known of a race, and where that lies."""

    folder: Path
    settings: Nested  # of the run, as planned, the race included
    candidates: list[Changes]
    score_takes: float  # seconds
    before: float  # seconds of the run that were over when the race began
    spent: float  # and now
    heats: list[Heat] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path) -> "Book | None":
        """What was written there, if anything; raises CheckpointError where it is damaged."""
        path = folder / "race.json"
        if not path.exists():
            return None
        try:
            content = json.loads(path.read_text("utf-8"))
            heats = [Heat(**heat) for heat in content.pop("heats")]
            return cls(folder, **content, heats=heats)
        except (ValueError, TypeError, KeyError):
            raise CheckpointError(
                f"{path} is damaged; delete {folder.parent} and begin the run again."
            ) from None

    def write(self) -> None:
        """Write all of it, or nothing."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "race.json"
        content = asdict(self)
        del content["folder"]
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(content, indent=1), "utf-8")
        os.replace(unfinished, path)

    def heat(self, number: int, candidate: int) -> Heat | None:
        """That of a round, if it is over."""
        same = (h for h in self.heats if (h.round, h.candidate) == (number, candidate))
        return next(same, None)

    def keep(self, heat: Heat, state: TrainingState, spent: float) -> None:
        """A heat is over: its candidate is saved, and after that it counts."""
        checkpoint.write(self._place(heat.candidate, heat.round), state.tensors(), state.facts())
        drawn = preview_latents(state)[:COLUMNS]
        painted = to_bytes(paint_batches(state.average, drawn))
        write_png(self.pictures(heat.candidate), grid(painted, COLUMNS), {})
        self.heats.append(heat)
        self.spent = spent
        self.write()
        shutil.rmtree(self._place(heat.candidate, heat.round - 1), ignore_errors=True)

    def restore(self, candidate: int, number: int, state: TrainingState) -> None:
        """Bring a candidate to where it was after that round; raises CheckpointError."""
        found = checkpoint.verify(checkpoint.read(self._place(candidate, number)))
        state.restore(found.all_tensors(), found.facts)

    def forget(self, candidates: Iterable[int]) -> None:
        """Delete the checkpoints of candidates that have dropped out."""
        for candidate in candidates:
            shutil.rmtree(self._home(candidate), ignore_errors=True)

    def close(self) -> None:
        """The run goes on elsewhere: results and pictures stay, networks go."""
        self.forget(range(len(self.candidates)))

    def pictures(self, candidate: int) -> Path:
        """A row of its pictures."""
        return self.folder / f"candidate-{candidate + 1}.png"

    def _home(self, candidate: int) -> Path:
        return self.folder / f"candidate-{candidate + 1}"

    def _place(self, candidate: int, number: int) -> Path:
        return self._home(candidate) / f"round-{number + 1}"
