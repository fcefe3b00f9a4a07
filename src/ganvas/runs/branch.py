"""A new run that goes on from a checkpoint of another one, which stays as it is."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.checkpoint import Checkpoint
from ganvas.checkpoints.metadata import CheckpointError
from ganvas.checkpoints.run_dir import RunDir
from ganvas.config import yaml as run_yaml
from ganvas.events import Notice
from ganvas.runs.errors import RunError
from ganvas.runs.resume import settings_of
from ganvas.runtime.system import system_errors
from ganvas.training.callbacks.log import MetricsLog, forget_after
from ganvas.training.callbacks.samples import GRID

BESIDE = ("images.json", "pictures.json", "real.png")  # files that do not depend on the step


def branch(run: RunDir, out: RunDir, step: int | None = None) -> Checkpoint:
    """Make the directory of a run that begins as `run` was after `step`; resume it to train.

    It holds that checkpoint alone, its settings, and what log and samples had by then. The default
    is the newest checkpoint that is whole. Returns the checkpoint in `out`, every byte verified.

    Raises RunError when `out` exists or `run` has no such checkpoint, CheckpointError when that is
    damaged, and PlaceError; then nothing is left at `out`.
    """
    if os.path.lexists(out.path):
        raise RunError(f"{out.path} is there already; choose another place for the branch.")
    found = _chosen(run, step)
    with _whole_or_nothing(out.path) as unfinished:
        made = RunDir(unfinished)
        for source in (run.metrics_log, *(run.path / name for name in BESIDE)):
            if source.is_file():
                shutil.copyfile(source, made.path / source.name)
        run_yaml.write(made.settings, settings_of(found))
        shutil.copytree(found.folder, made.checkpoints / found.folder.name)
        checkpoint.verify(checkpoint.read(made.checkpoints / found.folder.name))
        for sheet in run.samples.iterdir() if run.samples.is_dir() else ():
            if GRID.fullmatch(sheet.name) and int(sheet.stem) <= found.state.images:
                made.samples.mkdir(exist_ok=True)
                shutil.copyfile(sheet, made.samples / sheet.name)
        forget_after(made.metrics_log, found.state.step)
        sentence = f"Branched from {run.path.absolute().name} after step {found.state.step:,}."
        MetricsLog(made.metrics_log, 1, found.state.step).note(Notice(sentence))
    return checkpoint.read(out.checkpoints / found.folder.name)


def _chosen(run: RunDir, step: int | None) -> Checkpoint:
    """The checkpoint of a step, or the newest one."""
    there = checkpoint.list_checkpoints(run.checkpoints)
    if not there:
        raise RunError(f"{run.path} has no checkpoint to branch from.")
    if step is None:
        return checkpoint.newest(run.checkpoints)[0]
    for folder in there:
        found = checkpoint.read(folder) if checkpoint.step_of(folder) == step else None
        if found is not None:
            return checkpoint.verify(found)
    known = ", ".join(f"{checkpoint.step_of(folder):,}" for folder in reversed(there))
    raise RunError(f"{run.path} has no checkpoint of step {step:,}; it has those of {known}.")


@contextmanager
def _whole_or_nothing(place: Path) -> Iterator[Path]:
    """A folder to fill that gets its name when it is complete."""
    unfinished = place.with_name(f".{place.name}-{os.getpid()}")
    with system_errors(place):
        unfinished.mkdir(parents=True)
        try:
            yield unfinished
            os.rename(unfinished, place)
        except BaseException as fault:
            shutil.rmtree(unfinished, ignore_errors=True)
            if isinstance(fault, FileNotFoundError | shutil.Error):  # the run has deleted it
                raise CheckpointError(
                    "the checkpoint has been replaced by a newer one; choose another."
                ) from fault
            raise
