"""Stylize files: one image with its intermediate images and their film, or a whole folder."""

import errno
import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ganvas.data.sources.folder import files_below
from ganvas.errors import GanvasError
from ganvas.events import Event, Notice, Refusal, StyleIteration, Stylized
from ganvas.imaging import UnreadableImageError
from ganvas.imaging.write import write_image
from ganvas.runtime.activations import exhausted
from ganvas.runtime.at_exit import closed_at_exit
from ganvas.runtime.atomic import check_folder, make_folder, sweep
from ganvas.runtime.device import choose_device
from ganvas.runtime.signals import held_back
from ganvas.runtime.system import FULL, PlaceError, sentence, system_errors
from ganvas.runtime.validation import SettingsError
from ganvas.style.facts import settings_in as settings_in
from ganvas.style.facts import shareable_path
from ganvas.style.film import Film
from ganvas.style.forecast import TooLargeError
from ganvas.style.images import ImageError, StyleImage, open_image
from ganvas.style.optimization import StyleError
from ganvas.style.regions import OpenPair, opened_pairs
from ganvas.style.stylize import repaint
from ganvas.style.targets import plan_targets
from ganvas.style.work import (
    Work,
    check,
    check_format,
    check_image,
    film_of,
    frames_of,
    outputs,
    same_place,
    stage_of,
)

SHOWN = 5  # files that are no images: so many are reported by name
# Errors that the next image would meet as well.
EVERYWHERE = FULL | {errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE}
# Faults of one photograph or of its path. Faults of the settings appear before the first image.
OF_ONE = (
    UnreadableImageError,
    ImageError,
    TooLargeError,
    StyleError,
    SettingsError,
    PlaceError,
)


class FolderError(GanvasError, ValueError):
    """A folder without one image that can be stylized."""


@closed_at_exit
def stylize_file(work: Work) -> Generator[Event, None, None]:
    """Stylize one image and write it; if the job ends early, the current image is kept.

    Ctrl-C, SIGTERM and SIGHUP end it after the current iteration and are raised again once
    everything is written. Raises what `stylize` raises, and PlaceError.
    """
    check(work)
    yield from _stylize(work, _Palette(work))


@closed_at_exit
def stylize_folder(folder: Path, work: Work) -> Generator[Event, None, None]:
    """Stylize every image below a folder into the folder `work.out`; faulty images are skipped.

    Results that exist already stay, unless `work.overwrite`. Unfinished images are not kept, so
    that a stopped batch can be resumed. Raises FolderError when nothing could be stylized and no
    result existed. Errors that concern all images are raised at once.
    """
    if same_place(folder, work.out):
        raise SettingsError(
            f"--out {work.out} is the folder of photographs itself; choose another folder, such "
            f"as {work.out / 'styled'}."
        )
    check_format(replace(work, out=work.out / "a.png"))
    choose_device(work.settings.device)
    palette = _Palette(work)
    places, refused = _photographs(folder, work.out)
    yield from _report_refused(refused)
    counts = _Counts(passed_over=len(refused))
    if places:
        with _made(work.out):
            check_folder(work.out)
            for inner in {work.out, *(work.out / place.parent for place in places)}:
                sweep(inner)
            yield from _batch(folder, work, places, palette, counts)
    yield Notice(f"{counts}, in {work.out}.")
    if not counts.stylized + counts.there:
        raise FolderError(f"{folder} holds no image that can be stylized.")


class _Palette:
    """The styles and masks for all images, opened once."""

    def __init__(self, work: Work) -> None:
        # Evaluated for the SettingsError that they may raise.
        _ = work.settings.shares(len(work.styles)), work.settings.recipe
        self.pairs: list[OpenPair] = opened_pairs(work.masks, len(work.styles))
        self.paintings: list[StyleImage] = [open_image(style) for style in work.styles]


@dataclass
class _Counts:
    """How many images of a folder were stylized, were there already, or were passed over."""

    stylized: int = 0
    there: int = 0
    passed_over: int = 0

    def __str__(self) -> str:
        were = "was" if self.there == 1 else "were"
        return (
            f"{self.stylized} stylized, {self.there} {were} there already, "
            f"{self.passed_over} passed over"
        )


def _stylize(work: Work, palette: _Palette) -> Iterator[Event]:
    """Stylize and write one image, whose output paths are checked already."""
    photograph = open_image(work.content)
    check_image(work, photograph.alpha is not None, photograph.longer_side)
    film = Film(work)
    last: StyleIteration | None = None
    finished = False
    with held_back() as interrupts:
        try:
            for event in repaint(
                photograph, palette.paintings, work.settings, palette.pairs, work.features
            ):
                match event:
                    case StyleIteration():
                        last = event
                        film.see(event)
                        yield event
                    case Stylized():
                        finished = event.stage == event.stages
                        path = work.out if finished else stage_of(work.out, event.stage)
                        try:
                            # The image is written last: its presence means that all is there.
                            # It is written even if its film cannot be.
                            if finished:
                                film.write()
                        finally:
                            _write(work, path, event.image)
                        yield replace(event, image=path)
                    case _:
                        yield event
                if interrupts.received is not None:
                    break
        finally:
            # Also when the caller stops iterating, or the losses become NaN.
            kept = last if work.keep_unfinished and not finished else None
            if kept is not None:
                try:
                    film.write()
                finally:
                    _write(work, work.out, kept.image())
        if interrupts.received is not None and not finished:
            yield Notice(_stop_sentence(interrupts.received.name, kept, work.out))
    interrupts.raise_again()


def _write(work: Work, path: Path, image: StyleImage) -> None:
    write_image(path, image.pixels, work.bits, work.facts)


def _stop_sentence(by: str, kept: StyleIteration | None, out: Path) -> str:
    if kept is None:
        return f"Stopped by {by}."
    return f"Stopped by {by}; the image as it stood, {kept.width}x{kept.height}, is {out}."


def _photographs(folder: Path, out: Path) -> tuple[list[Path], list[Refusal]]:
    """Paths of possible photographs outside `out`, and the files that are none."""
    files, refused = files_below(folder)
    target, root = _real(out), _real(folder)
    if not target.is_relative_to(root):
        return [Path(file.place) for file in files], list(refused)
    places = [Path(file.place) for file in files]
    return (
        [place for place in places if not _real(root / place).is_relative_to(target)],
        [one for one in refused if not (root / one.name).is_relative_to(target)],
    )


def _report_refused(refused: Sequence[Refusal]) -> Iterator[Event]:
    for one in refused[:SHOWN]:
        yield _passed_over(f"{one.name} {one.reason}")
    if len(refused) > SHOWN:
        yield Notice(f"And {len(refused) - SHOWN} more that are no images.")


def _passed_over(why: str) -> Notice:
    return Notice(f"Passed over: {why.removesuffix('.')}.")


def _batch(
    folder: Path, work: Work, places: Sequence[Path], palette: _Palette, counts: _Counts
) -> Iterator[Event]:
    targets = plan_targets(places, lambda target: outputs(replace(work, out=target)))
    photographs = {_identity(folder / place) for place in places}
    for place in places:
        one = replace(
            work, content=folder / place, out=work.out / targets[place], keep_unfinished=False
        )
        try:
            if _stays(one, photographs):
                counts.there += 1
                yield Notice(f"{one.out} is there already and stays.")
                continue
            with _made(one.out.parent):
                check(one)
                yield from _stylize(one, palette)
            counts.stylized += 1
        except (GanvasError, OSError, MemoryError, RuntimeError) as fault:
            why = _of_this_one(fault, one)
            if why is None:
                raise
            counts.passed_over += 1
            yield _passed_over(why)


def _stays(one: Work, photographs: set[tuple[int, int]]) -> bool:
    """Whether the result exists already and is kept.

    Raises PlaceError if another file would be overwritten.
    """
    with system_errors(one.out):
        for path in outputs(one):
            if path.exists() and _identity(path) in photographs:
                raise PlaceError(
                    f"{path} is one of the photographs, and stays; choose another --out."
                )
        if one.overwrite or one.out.is_dir():
            return False
        if os.path.lexists(one.out):
            return True
        strange = next((path for path in outputs(one)[1:] if not _left_behind(path, one)), None)
    if strange is not None:
        raise PlaceError(f"{strange} is there already, and stays; add --overwrite to replace it.")
    return False


def _left_behind(path: Path, one: Work) -> bool:
    """Whether this path is free, or holds only what an interrupted earlier call left."""
    frames = frames_of(one.out)
    if not os.path.lexists(path) or (path == frames and path.is_dir() and not any(path.iterdir())):
        return True
    made = sorted(frames.glob("*.png")) if path in (frames, film_of(one.out)) else [path]
    return bool(made) and all(_is_of(image, one.content) for image in made)


def _is_of(image: Path, content: Path) -> bool:
    """Whether an image's stored settings name this photograph as its content."""
    with suppress(SettingsError):
        return bool(settings_in(image).content == shareable_path(content))
    return False


def _identity(path: Path) -> tuple[int, int]:
    """Device and inode, which identify a file under any name; (-1, -1) if it is gone."""
    with suppress(OSError):
        status = os.stat(path)
        return status.st_dev, status.st_ino
    return -1, -1


def _of_this_one(fault: Exception, one: Work) -> str | None:
    """Why this image is passed over; None if the next image would fail likewise."""
    cause = fault.__cause__ if isinstance(fault, PlaceError) else fault
    if isinstance(cause, OSError) and cause.errno in EVERYWHERE:
        return None
    if isinstance(fault, OF_ONE):
        why = str(fault)
    elif exhausted(fault):
        why = "more memory is needed than is free"
    elif isinstance(fault, OSError):
        why = sentence(fault, one.out)
    else:
        return None
    return why if str(one.content) in why else f"{one.content}: {why}"


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make a folder for results, and remove it again if it stays empty."""
    with system_errors(folder):
        new = [place for place in (folder, *folder.parents) if not place.exists()]
    make_folder(folder)
    try:
        yield
    finally:
        for place in new:
            with suppress(OSError):  # not empty: it is in use
                place.rmdir()


def _real(path: Path) -> Path:
    # Path.resolve raises RuntimeError for circular links.
    return Path(os.path.realpath(path))
