"""Repainted pictures as files: one, its intermediate steps and their film, or a folder of them.

OUT.png             the picture, with its settings as text inside
OUT-1.png ...       the stages before the last, where a preset has several
OUT-frames/, OUT.gif   every so many iterations, and a film of them
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ganvas import __version__
from ganvas.data.folder import files_below
from ganvas.errors import GanvasError
from ganvas.events import Event, Notice, Painted, Refusal, Stroke
from ganvas.images import UnreadablePictureError
from ganvas.settings import SettingsError
from ganvas.sheets import FORMATS, write_gif, write_picture
from ganvas.style.forecast import TooLargeError
from ganvas.style.painting import PaintingError
from ganvas.style.pictures import Picture, PictureError, opened
from ganvas.style.regions import MaskPair
from ganvas.style.scene import resized, sides_of
from ganvas.style.settings import StyleSettings
from ganvas.style.stylize import repaint
from ganvas.training.interrupts import held_back

FACT = "ganvas.style"  # under which a PNG keeps its settings
FILM_SIDE, FILM_MILLISECONDS = 512, 80


@dataclass(frozen=True)
class Work:
    """A picture to be painted, from files to a file."""

    content: Path
    styles: tuple[Path, ...]
    out: Path
    settings: StyleSettings = field(default_factory=StyleSettings)
    masks: tuple[MaskPair, ...] = ()
    features: Path | None = None
    bits: int = 8
    every: int | None = None  # iterations between two intermediate pictures
    keep_unfinished: bool = True  # when painting ends early


class WritingError(GanvasError, OSError):
    """A picture that was painted and cannot be written."""


class FolderError(GanvasError, ValueError):
    """A folder without one picture that can be painted."""


def check(work: Work) -> None:
    """Raises SettingsError for a file that cannot be written as asked, before anything is done."""
    suffix = work.out.suffix.lower()
    if suffix not in FORMATS:
        raise SettingsError(
            f"--out {work.out}: pictures are written as {', '.join(FORMATS)}; end the name so."
        )
    if work.bits not in FORMATS[suffix].bits:
        raise SettingsError(f"--bits {work.bits}: {suffix} has 8 bits; 16 go into .png or .tif.")
    if not work.out.parent.is_dir():
        raise SettingsError(f"--out {work.out}: there is no folder {work.out.parent}.")


def written(work: Work) -> list[Path]:
    """Everything that painting one picture writes."""
    stages = len(work.settings.recipe.stages)
    paths = [work.out, *(_beside(work.out, f"-{stage}") for stage in range(1, stages))]
    return [*paths, _frames(work.out), _film(work.out)] if work.every else paths


def paint_file(work: Work) -> Iterator[Event]:
    """Paint one picture and write it; whatever ends the painting, the picture is kept as it stands.

    Ctrl-C and SIGTERM end it after an iteration, and are raised again once everything is written.
    Raises what `stylize` raises, and WritingError.
    """
    check(work)
    photograph = opened(work.content)
    if photograph.alpha is not None and not FORMATS[work.out.suffix.lower()].alpha:
        raise SettingsError(
            f"--out {work.out}: {work.content} is transparent, which this format cannot be; "
            "use .png, .tif or .webp."
        )
    paintings = [opened(style) for style in work.styles]
    film = _Film(work)
    last: Stroke | None = None
    finished = False
    with held_back() as interrupts:
        try:
            for event in repaint(photograph, paintings, work.settings, work.masks, work.features):
                match event:
                    case Stroke():
                        last = event
                        film.see(event)
                        yield event
                    case Painted():
                        finished = event.stage == event.stages
                        path = work.out if finished else _beside(work.out, f"-{event.stage}")
                        _write(work, path, event.picture)
                        yield replace(event, picture=path)
                    case _:
                        yield event
                if interrupts.received is not None:
                    break
        finally:
            # Also when whoever iterates stops, or the losses break down.
            kept = last if work.keep_unfinished and not finished else None
            if kept is not None:
                _write(work, work.out, kept.picture())
            film.write()
        if interrupts.received is not None and not finished:
            yield Notice(_stopped(interrupts.received.name, kept, work.out))
    interrupts.raise_again()


def _stopped(by: str, kept: Stroke | None, out: Path) -> str:
    if kept is None:
        return f"Stopped by {by}."
    return f"Stopped by {by}; the picture as it stood, {kept.width}x{kept.height}, is {out}."


def paint_folder(folder: Path, work: Work) -> Iterator[Event]:
    """Paint every picture below a folder into the folder `work.out`; a bad one stops nothing.

    Those that are there already are passed over, and unfinished ones are not kept, so that a batch
    that was stopped goes on. Raises FolderError when nothing could be painted, and at once what
    concerns all pictures.
    """
    for style in work.styles:
        opened(style)
    files, others = files_below(folder)
    places, refused = [Path(file.place) for file in files], list(others)
    inside = [p for p in places if not (folder / p).resolve().is_relative_to(work.out.resolve())]
    done = 0
    for place in inside:
        target = work.out / _target(place, inside)
        if target.exists():
            yield Notice(f"{target} is there already and stays.")
            done += 1
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            one = replace(work, content=folder / place, out=target, keep_unfinished=False)
            yield from paint_file(one)
            done += 1
        except (UnreadablePictureError, PictureError, TooLargeError, PaintingError) as fault:
            refused.append(Refusal(str(place), str(fault)))
            yield Notice(f"Passed over: {fault}")
    yield Notice(f"{done} painted and {len(refused)} passed over, in {work.out}.")
    if not done:
        raise FolderError(f"{folder} holds no picture that can be painted.")


def _target(place: Path, places: Sequence[Path]) -> Path:
    """a/b.jpg becomes a/b.png, or a/b.jpg.png where there is another a/b."""
    same = [p for p in places if p.with_suffix("") == place.with_suffix("")]
    return place.with_suffix(".png") if len(same) == 1 else place.with_name(f"{place.name}.png")


def settings_in(picture: Path) -> dict[str, Any]:
    """What a picture painted by ganvas says about how it was made; raises SettingsError."""
    try:
        with Image.open(picture, formats=("PNG",)) as opened_picture:
            opened_picture.load()  # text may stand behind the pixels
            found = json.loads(opened_picture.info[FACT])
        return dict(found)
    except OSError as fault:
        raise SettingsError(f"--like {picture} cannot be read as a PNG picture.") from fault
    except (KeyError, ValueError, TypeError) as fault:
        raise SettingsError(
            f"--like {picture}: it carries no settings; give a PNG that ganvas style has written."
        ) from fault


def _facts(work: Work) -> dict[str, str]:
    """The settings, and how to find the pictures again: as they were typed, but no folders that
    would tell strangers where on this machine they lie."""
    pairs = [[_told(a), None if b is None else _told(b)] for a, b in work.masks]
    about = {
        "version": __version__,
        "content": _told(work.content),
        "styles": [_told(style) for style in work.styles],
        "masks": pairs,
        "features": None if work.features is None else _told(work.features),
        "settings": asdict(work.settings),
    }
    return {FACT: json.dumps(about)}


def _told(path: Path) -> str:
    return path.name if path.is_absolute() else path.as_posix()


def _write(work: Work, path: Path, picture: Picture) -> None:
    with _writing(path):
        write_picture(path, picture.pixels, work.bits, _facts(work))


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise WritingError(
            f"{path} cannot be written ({fault.strerror or fault}); choose another --out."
        ) from fault


def _beside(out: Path, addition: str) -> Path:
    return out.with_name(f"{out.stem}{addition}{out.suffix}")


def _frames(out: Path) -> Path:
    return out.with_name(f"{out.stem}-frames")


def _film(out: Path) -> Path:
    return out.with_suffix(".gif")


class _Film:
    """Intermediate pictures, and a film of them."""

    def __init__(self, work: Work) -> None:
        self.out, self.every = work.out, work.every
        self.folder = _frames(work.out)
        self.frames: list[Picture] = []

    def see(self, stroke: Stroke) -> None:
        """Keep this iteration's picture if it is due."""
        if not self.every or stroke.iteration % self.every:
            return
        picture: Picture = stroke.picture()
        with _writing(self.folder):
            self.folder.mkdir(exist_ok=True)
            write_picture(self.folder / f"{stroke.iteration:05d}.png", picture.pixels, 8, {})
        sides = sides_of(picture.colours, min(FILM_SIDE, picture.longer_side))
        self.frames.append(replace(picture, colours=resized(picture.colours, sides), alpha=None))

    def write(self) -> None:
        """The film, if there is more than one picture; all frames as large as the largest."""
        if len(self.frames) < 2:
            return
        colours = max((f.colours for f in self.frames), key=torch.numel)
        sides = colours.shape[2], colours.shape[3]
        frames = [replace(f, colours=resized(f.colours, sides)).pixels for f in self.frames]
        film = np.rint(255 * np.stack(frames)).astype(np.uint8)
        path = _film(self.out)
        with _writing(path):
            write_gif(path, film, FILM_MILLISECONDS)
