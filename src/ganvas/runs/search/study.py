"""RUN/race: who runs, how far each has come, and what it scored; it outlives the process.

RUN/race/race.json      settings as planned, candidates, and every heat that is over
RUN/race/candidate-3/   a checkpoint of each that is still in the race, after its last heat
RUN/race/candidate-3.png    some of its images, as they were in its last heat
RUN/race/race.png       all of that as an image
"""

import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from math import inf
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter

from ganvas import __version__
from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.metadata import CheckpointError, RunMetadata
from ganvas.config import Nested, Request, checked, merged
from ganvas.imaging.grid import grid
from ganvas.imaging.tensors import to_bytes
from ganvas.imaging.write import generated, write_png
from ganvas.models.sampling import sample_batches
from ganvas.registry import UnknownNameError
from ganvas.runs.search.candidates import Changes
from ganvas.runtime.atomic import make_folder, write_text
from ganvas.runtime.forms import Count, Finite, FormError, Number, parsed, rebuilt
from ganvas.runtime.system import read_regular
from ganvas.runtime.validation import SettingsError
from ganvas.training import TrainingState
from ganvas.training.callbacks.samples import COLUMNS, preview_latents


@dataclass(frozen=True)
class Heat:
    """What one candidate reached in one round."""

    round: Annotated[int, Field(ge=0)]
    candidate: Annotated[int, Field(ge=0)]
    images: Count  # that it has been shown, in all its rounds
    kernel: Finite | None  # None where it was not finite
    error: Number

    @property
    def distance(self) -> float:
        """What ranks it: nothing is worse than what is not finite."""
        return inf if self.kernel is None else self.kernel


Seconds = Annotated[Finite, Field(ge=0)]


def _is_of_race(changes: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    if unknown := changes.keys() - {"game", "network"}:
        raise ValueError(f"candidates do not differ in {min(unknown)[:40]!r}")
    return changes


@dataclass
class _Written:
    """race.json."""

    settings: dict[str, Any]
    candidates: Annotated[
        list[Annotated[dict[str, dict[str, int | float]], AfterValidator(_is_of_race)]],
        Field(min_length=2, max_length=256),
    ]
    score_takes: Seconds
    before: Seconds
    spent: Seconds
    heats: list[Heat]

    def __post_init__(self) -> None:
        places = [(heat.round, heat.candidate) for heat in self.heats]
        if len(set(places)) < len(places) or any(n >= len(self.candidates) for _, n in places):
            raise ValueError("its heats are not those of its candidates")


_WRITTEN = TypeAdapter(_Written)


@dataclass
class Study:
    """What is known of a race, and where that lies."""

    folder: Path
    settings: Nested  # of the run, as planned, the race included
    candidates: list[Changes]
    score_takes: float  # seconds
    before: float  # seconds of the run that were over when the race began
    spent: float  # and now
    heats: list[Heat] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path) -> "Study | None":
        """What was written there, if anything; raises CheckpointError where it is damaged."""
        path = folder / "race.json"
        if not path.exists():
            return None
        try:
            written = rebuilt(_WRITTEN, parsed(read_regular(path)))
            for changes in written.candidates:  # before anything is built of them
                checked(Request.of(merged(written.settings, changes)))
        except (FormError, SettingsError, UnknownNameError) as fault:
            raise CheckpointError(
                f"{path} is damaged; delete {folder.parent} and begin the run again "
                f"({str(fault).removesuffix('.')})."
            ) from None
        return cls(folder, **vars(written))

    def write(self) -> None:
        """Write all of it, or nothing."""
        make_folder(self.folder)
        content = asdict(self)
        del content["folder"]
        write_text(self.folder / "race.json", json.dumps(content, indent=1))

    def heat(self, number: int, candidate: int) -> Heat | None:
        """That of a round, if it is over."""
        same = (h for h in self.heats if (h.round, h.candidate) == (number, candidate))
        return next(same, None)

    def keep(self, heat: Heat, state: TrainingState, spent: float) -> None:
        """A heat is over: its candidate is saved, and after that it counts."""
        metadata = RunMetadata(ganvas=__version__, state=state.metadata())
        checkpoint.write(self._place(heat.candidate, heat.round), state.tensors(), metadata)
        drawn = preview_latents(state)[:COLUMNS]
        painted = to_bytes(sample_batches(state.average, drawn))
        write_png(self.images(heat.candidate), grid(painted, COLUMNS), generated("sheet"))
        self.heats.append(heat)
        self.spent = spent
        self.write()
        shutil.rmtree(self._place(heat.candidate, heat.round - 1), ignore_errors=True)

    def restore(self, candidate: int, number: int, state: TrainingState) -> None:
        """Bring a candidate to where it was after that round; raises CheckpointError."""
        place = self._place(candidate, number)
        found = checkpoint.verify(checkpoint.read(place))
        heat = self.heat(number, candidate)
        try:
            finite = heat is None or heat.kernel is not None
            state.restore(found.all_tensors(), found.state, finite)
        except CheckpointError as fault:
            raise CheckpointError(
                f"{place} does not fit its race, {fault}; begin the run again with another --out."
            ) from None

    def forget(self, candidates: Iterable[int]) -> None:
        """Delete the checkpoints of candidates that have dropped out."""
        for candidate in candidates:
            shutil.rmtree(self._home(candidate), ignore_errors=True)

    def close(self) -> None:
        """The run goes on elsewhere: results and images stay, networks go."""
        self.forget(range(len(self.candidates)))

    def images(self, candidate: int) -> Path:
        """A row of its images."""
        return self.folder / f"candidate-{candidate + 1}.png"

    def _home(self, candidate: int) -> Path:
        return self.folder / f"candidate-{candidate + 1}"

    def _place(self, candidate: int, number: int) -> Path:
        return self._home(candidate) / f"round-{number + 1}"
