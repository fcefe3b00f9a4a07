"""RUN/search: the trials, how far each has come, and what it scored; it outlives the process.

RUN/search/study.json     settings as planned, trials, and every result
RUN/search/trial-3/       a checkpoint of each that is still in the search, after its last round
RUN/search/trial-3.png    some of its images, as they were then
RUN/search/search.png     all of that as a figure
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
from ganvas.checkpoints.patches import study_of_1
from ganvas.config import Nested, Request, check, merge
from ganvas.imaging.grid import grid
from ganvas.imaging.tensors import to_bytes
from ganvas.imaging.write import generated_mark, write_png
from ganvas.models.sampling import sample_batches
from ganvas.registry import UnknownNameError
from ganvas.runs.search.trials import Changes
from ganvas.runtime.atomic import make_folder, write_text
from ganvas.runtime.forms import Count, Finite, FormError, Number, parse, rebuild
from ganvas.runtime.system import read_regular
from ganvas.runtime.validation import SettingsError
from ganvas.training import TrainingState
from ganvas.training.callbacks.samples import COLUMNS, preview_latents


@dataclass(frozen=True)
class TrialResult:
    """What one trial reached in one round."""

    round: Annotated[int, Field(ge=0)]
    trial: Annotated[int, Field(ge=0)]
    images: Count  # that it has been shown, in all its rounds
    kernel: Finite | None  # None where it was not finite
    error: Number

    @property
    def distance(self) -> float:
        """What ranks it: nothing is worse than what is not finite."""
        return inf if self.kernel is None else self.kernel


OLD_STUDY = "race.json"

Seconds = Annotated[Finite, Field(ge=0)]


def _is_of_search(changes: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    if unknown := changes.keys() - {"game", "network"}:
        raise ValueError(f"trials do not differ in {min(unknown)[:40]!r}")
    return changes


@dataclass
class _Written:
    """study.json."""

    settings: dict[str, Any]
    trials: Annotated[
        list[Annotated[dict[str, dict[str, int | float]], AfterValidator(_is_of_search)]],
        Field(min_length=2, max_length=256),
    ]
    score_takes: Seconds
    before: Seconds
    spent: Seconds
    results: list[TrialResult]

    def __post_init__(self) -> None:
        places = [(result.round, result.trial) for result in self.results]
        if len(set(places)) < len(places) or any(n >= len(self.trials) for _, n in places):
            raise ValueError("its results are not those of its trials")


_WRITTEN = TypeAdapter(_Written)


@dataclass
class Study:
    """What is known of a search, and where that lies."""

    folder: Path
    settings: Nested  # of the run, as planned, the search included
    trials: list[Changes]
    score_takes: float  # seconds
    before: float  # seconds of the run that were over when the search began
    spent: float  # and now
    results: list[TrialResult] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path) -> "Study | None":
        """What was written there, if anything; raises CheckpointError where it is damaged."""
        path = folder / "study.json"
        if not path.exists() and not _migrate(folder):
            return None
        try:
            written = rebuild(_WRITTEN, parse(read_regular(path)))
            for changes in written.trials:  # before anything is built of them
                check(Request.of(merge(written.settings, changes)))
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
        write_text(self.folder / "study.json", json.dumps(content, indent=1))

    def result(self, number: int, trial: int) -> TrialResult | None:
        """That of a round, if it is over."""
        same = (one for one in self.results if (one.round, one.trial) == (number, trial))
        return next(same, None)

    def keep(self, result: TrialResult, state: TrainingState, spent: float) -> None:
        """Save a trial after its round; only then does its result count."""
        metadata = RunMetadata(ganvas=__version__, state=state.metadata())
        checkpoint.write(self._place(result.trial, result.round), state.tensors(), metadata)
        drawn = preview_latents(state)[:COLUMNS]
        generated_images = to_bytes(sample_batches(state.average, drawn))
        write_png(
            self.images(result.trial), grid(generated_images, COLUMNS), generated_mark("sheet")
        )
        self.results.append(result)
        self.spent = spent
        self.write()
        shutil.rmtree(self._place(result.trial, result.round - 1), ignore_errors=True)

    def restore(self, trial: int, number: int, state: TrainingState) -> None:
        """Bring a trial to where it was after that round; raises CheckpointError."""
        place = self._place(trial, number)
        found = checkpoint.verify(checkpoint.read(place))
        result = self.result(number, trial)
        try:
            finite = result is None or result.kernel is not None
            state.restore(found.all_tensors(), found.state, finite)
        except CheckpointError as fault:
            raise CheckpointError(
                f"{place} does not fit its search, {fault}; begin the run again with another --out."
            ) from None

    def forget(self, trials: Iterable[int]) -> None:
        """Delete the checkpoints of trials that have dropped out."""
        for trial in trials:
            shutil.rmtree(self._home(trial), ignore_errors=True)

    def close(self) -> None:
        """The run goes on elsewhere: results and images stay, networks go."""
        self.forget(range(len(self.trials)))

    def images(self, trial: int) -> Path:
        """A row of its images."""
        return self.folder / f"trial-{trial + 1}.png"

    def _home(self, trial: int) -> Path:
        return self.folder / f"trial-{trial + 1}"

    def _place(self, trial: int, number: int) -> Path:
        return self._home(trial) / f"round-{number + 1}"


def _migrate(folder: Path) -> bool:
    """Whether there was a search under the names of November 2026; it now has today's.

    Each step may be the last of a process that is killed: the next one goes on from there.
    """
    old = folder.with_name("race")
    if (old / OLD_STUDY).exists() and not folder.exists():
        old.rename(folder)
    if not (folder / OLD_STUDY).exists():
        return False
    for path in sorted(folder.glob("candidate-*")):
        path.rename(path.with_name(path.name.replace("candidate", "trial")))
    try:
        content = study_of_1(parse(read_regular(folder / OLD_STUDY)))
    except FormError as fault:
        raise CheckpointError(f"{folder / OLD_STUDY} is damaged: {fault}.") from None
    write_text(folder / "study.json", json.dumps(content, indent=1))
    (folder / OLD_STUDY).unlink()
    return True
