"""The runs below a folder, each in a few facts read from its files."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.metadata import CheckpointError
from ganvas.checkpoints.run_dir import RunDir
from ganvas.config import yaml as run_yaml
from ganvas.config.request import section
from ganvas.runs import status as status_file
from ganvas.runs.control import FINISHED
from ganvas.runs.status import PAUSED, RUNNING, Status
from ganvas.runtime.locking import is_locked, locked_since
from ganvas.runtime.validation import SettingsError
from ganvas.training.callbacks.log import tail
from ganvas.training.callbacks.samples import GRID

PREPARING, DEAD = "preparing", "dead"
OWN = {"checkpoints", "samples", "search", "commands"}  # folders of a run that hold no others
UNKNOWN = "?"
CLOCKS = 0.05  # seconds by which the times of a file and in it may differ


@dataclass(frozen=True)
class Listed:
    """A run. `state` is preparing, running, paused or dead, or the reason why it ended."""

    path: Path
    model: str
    size: str
    images: int  # shown
    goal: int | None  # images, after which it ends by itself
    state: str
    changed: float  # when its files last changed, in seconds since 1970
    score: float | None  # the last KID (kernel distance), of `network`
    network: str | None
    disk: int  # bytes
    thumbnail: Path | None  # the newest sample grid

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        paths = {"path": str(self.path), "thumbnail": self.thumbnail and str(self.thumbnail)}
        return {**vars(self), **paths}


def find_runs(folder: Path) -> Iterator[RunDir]:
    """The directories of runs at and below a folder, in the order of their names.

    Links to folders are not followed, and folders with a dot in front are left out.
    """
    for place, folders, files in os.walk(folder):
        is_run = RunDir(Path(place)).settings.name in files or "checkpoints" in folders
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and not (is_run and name in OWN)
        )
        found = RunDir(Path(place))
        if found.settings.name in files or checkpoint.list_checkpoints(found.checkpoints):
            yield found


def describe(folder: RunDir, disk: int | None = None) -> Listed:
    """What a run's files say of it; what is missing or damaged is left open.

    `disk` is its size where that is known: all of its files are looked at otherwise.
    """
    content: dict[str, Any] = {}
    with suppress(SettingsError):
        content = dict(run_yaml.read(folder.settings))
    lines = tail(folder.metrics_log)
    status = status_file.read(folder.status)
    images = max([status.images if status else 0, *(line.get("images", 0) for line in lines)])
    goal = status.goal if status else section(content, "training").get("images")
    scored = [line for line in lines if line.get("event") == "scored" and "kernel" in line]
    size = section(content, "data").get("size")
    return Listed(
        folder.path,
        str(content.get("model", UNKNOWN)),
        str(size or UNKNOWN),
        images,
        goal if isinstance(goal, int) else None,
        state_of(folder, status, lines, images),
        _changed(folder),
        scored[-1]["kernel"] if scored else None,
        scored[-1].get("features") if scored else None,
        disk_use(folder.path) if disk is None else disk,
        _thumbnail(folder.samples),
    )


def state_of(
    folder: RunDir, status: Status | None, lines: list[dict[str, Any]], images: int = 0
) -> str:
    """What a run does now, or why it ended, from its status and the end of its metrics log."""
    live = status is not None and status.state in (RUNNING, PAUSED)
    if is_locked(folder.path):
        if status is None:  # of an older ganvas, or one that has just begun
            return RUNNING if any("images" in line for line in lines) else PREPARING
        since = locked_since(folder.path) or 0.0
        # What an earlier process has written says nothing of the one that is at work now. One that
        # has ended its run still saves, draws and films.
        return PREPARING if status.written < since - CLOCKS else status.state
    ended = [line["reason"] for line in lines if line.get("event") == "done"]
    if status is not None:
        return DEAD if live else status.state
    # A run of an older ganvas, or one whose status is lost.
    if ended:
        return str(ended[-1])
    stopped = [line for line in lines if line.get("command") == "stop"]
    if stopped and stopped[-1] is lines[-1]:
        return str(stopped[-1].get("reason", DEAD))
    with suppress(CheckpointError, IndexError):
        newest = checkpoint.read(checkpoint.list_checkpoints(folder.checkpoints)[0])
        wanted = section(newest.metadata.config, "training").get("images")
        if isinstance(wanted, int) and newest.state.images >= wanted:
            return FINISHED
    return DEAD


def _changed(folder: RunDir) -> float:
    """When a run last wrote something."""
    found = [folder.path]
    for path in (folder.status, folder.metrics_log, folder.settings):
        found += [path] if path.exists() else []
    return max(path.stat().st_mtime for path in found)


def disk_use(folder: Path) -> int:
    """The bytes of all files below a folder."""
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            with suppress(OSError):  # it has just been removed
                total += os.lstat(os.path.join(place, name)).st_size
    return total


def _thumbnail(samples: Path) -> Path | None:
    with suppress(OSError):
        grids = [path for path in samples.iterdir() if GRID.fullmatch(path.name)]
        return max(grids, key=lambda path: int(path.stem), default=None)
    return None
