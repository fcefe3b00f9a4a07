"""Repainted photographs of a workspace: each a folder with its images, its settings, its result.

WORKSPACE/styled/ID/painting.json   settings, names of the uploaded images, and the process
WORKSPACE/styled/ID/painted.png     the result; painted-frames/ while it is made, painted.gif then
"""

import json
import os
import secrets
import shutil
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from ganvas.errors import GanvasError
from ganvas.runtime.atomic import make_folder, write_text
from ganvas.runtime.signals import ASKING
from ganvas.runtime.system import system_errors
from ganvas.runtime.validation import SettingsError
from ganvas.studio.jobs import Jobs
from ganvas.studio.workspace import TRASH, Workspace, WorkspaceError

FOLDER, RESULT, FRAMES, FILM = "styled", "painted.png", "painted-frames", "painted.gif"
EVERY = 5  # iterations from one intermediate image to the next
CANCELLED = ".cancelled"  # beside those that somebody has ended
FEWEST = 2  # images of a transfer: a photograph, and a painting


class UnknownPaintingError(GanvasError, LookupError):
    """No repainted photograph has this id, or it has no such image."""


@dataclass(frozen=True)
class Painting:
    """What painting.json says."""

    made: float  # seconds since 1970
    options: dict[str, Any]  # of `ganvas style`
    images: list[str]  # file names: the photograph, then the paintings
    process: int
    started: float  # of the process, by which it is recognised


@dataclass(frozen=True)
class Paintings:
    """The repainted photographs of a workspace."""

    workspace: Workspace
    jobs: Jobs

    @property
    def folder(self) -> Path:
        """Where they are."""
        return self.workspace.root / FOLDER

    def start(self, images: list[Path], options: dict[str, Any]) -> str:
        """Repaint the first image in the style of the others, in a process of its own; the id."""
        if len(images) < FEWEST:
            raise SettingsError("choose a photograph and at least one painting.")
        name = secrets.token_hex(8)
        place = self.folder / name
        make_folder(place)
        kept = []
        with system_errors(place):
            for number, image in enumerate(images):
                kept.append(f"image-{number}{image.suffix}")
                shutil.copyfile(image, place / kept[-1])
        flags = [f"--{option.replace('_', '-')}={value}" for option, value in options.items()]
        command = ["style", *kept, "--out", RESULT, "--every", str(EVERY), *flags]
        process = self.jobs.start(name, command, place)
        started = _started(process)
        said = Painting(time.time(), options, kept, process, started or 0.0)
        write_text(place / "painting.json", json.dumps(asdict(said), indent=1))
        return name

    def all(self) -> list[dict[str, Any]]:
        """All of them, the newest first."""
        with system_errors(self.folder):
            names = [path.name for path in self.folder.iterdir()] if self.folder.is_dir() else []
        found = []
        for name in names:
            with suppress(UnknownPaintingError):
                found.append(self.describe(name))
        return sorted(found, key=lambda one: -float(one["made"]))

    def describe(self, name: str) -> dict[str, Any]:
        """How far one is; raises UnknownPaintingError."""
        place, painting = self._read(name)
        runs = _runs(painting)
        frames = _frames(place / FRAMES)
        done = (place / RESULT).is_file()
        ended = "cancelled" if (place / CANCELLED).exists() else "finished" if done else "failed"
        state = "running" if runs else ended
        said = self.jobs.said(name).strip().splitlines()
        forecast = next((line for line in said if " pixels in about " in line), None)
        return {
            "id": name,
            "made": painting.made,
            "options": painting.options,
            "images": painting.images,
            "state": state,
            "forecast": forecast,
            "said": said[-1].removeprefix("ganvas: ") if said else "",
            "frame": frames[-1].name if frames else None,
            "result": done,
            "film": (place / FILM).is_file(),
        }

    def image(self, name: str, file: str) -> Path:
        """A file of one: an image that it is made of, an intermediate one, the result, the film."""
        place, painting = self._read(name)
        known = {path.name: path for path in _frames(place / FRAMES)}
        known |= {own: place / own for own in (*painting.images, RESULT, FILM)}
        path = known.get(file)
        if path is None or not path.is_file():
            raise UnknownPaintingError("there is no such image.")
        return path

    def sources(self, name: str) -> list[Path]:
        """The images that one is made of."""
        place, painting = self._read(name)
        return [place / image for image in painting.images]

    def cancel(self, name: str) -> None:
        """End a transfer; what it has so far is kept. One that has ended is left alone."""
        place, painting = self._read(name)
        if _runs(painting):
            (place / CANCELLED).touch()
            with suppress(ProcessLookupError):
                os.kill(painting.process, ASKING)

    def throw_away(self, name: str) -> None:
        """Move one to the workspace's trash; raises WorkspaceError while it is made."""
        place, painting = self._read(name)
        if _runs(painting):
            raise WorkspaceError("it is being made; cancel it first.")
        trash = self.workspace.root / TRASH
        make_folder(trash)
        with system_errors(place):
            shutil.move(place, trash / f"{FOLDER}-{name}")

    def _read(self, name: str) -> tuple[Path, Painting]:
        place = self.folder / name
        try:
            content = json.loads((place / "painting.json").read_text("utf-8"))
            return place, Painting(**content)
        except (OSError, ValueError, TypeError):
            raise UnknownPaintingError("there is no such repainted photograph.") from None


def _frames(folder: Path) -> list[Path]:
    with suppress(OSError):
        return sorted(path for path in folder.glob("*.png") if path.stem.isdecimal())
    return []


def _started(process: int) -> float | None:
    """When a process began; None if there is none."""
    try:
        found = psutil.Process(process)
        return None if found.status() == psutil.STATUS_ZOMBIE else float(found.create_time())
    except psutil.Error:
        return None


def _runs(painting: Painting) -> bool:
    """Whether its process runs: the same one, and not another of its number."""
    began = _started(painting.process)
    return began is not None and abs(began - painting.started) < 1
