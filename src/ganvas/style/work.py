"""A style transfer from files to files, and the check that its outputs can be written.

OUT.png             the image, with its settings as text inside
OUT-1.png ...       the stages before the last, where a preset has several
OUT-frames/, OUT.gif   every so many iterations, and a film of them
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ganvas.imaging.write import FORMATS
from ganvas.runtime.atomic import check_file, check_folder
from ganvas.runtime.system import PlaceError, system_errors
from ganvas.runtime.validation import SettingsError
from ganvas.style.facts import facts_of
from ganvas.style.regions import MaskPair
from ganvas.style.settings import StyleSettings

LONGEST_SIDE = {".webp": 16_383}  # pixels, for formats that hold fewer than ganvas can stylize


@dataclass(frozen=True)
class Work:
    """An image to be stylized, from files to a file; or many, from a folder to a folder."""

    content: Path
    styles: tuple[Path, ...]
    out: Path
    settings: StyleSettings = field(default_factory=StyleSettings)
    masks: tuple[MaskPair, ...] = ()
    features: Path | None = None
    bits: int = 8
    every: int | None = None  # iterations between two intermediate images
    keep_unfinished: bool = True  # keep the current image if the job ends early
    overwrite: bool = False  # replace results that exist already in a folder

    @property
    def facts(self) -> dict[str, str]:
        """The text that is stored in the image."""
        return facts_of(self.content, self.styles, self.masks, self.features, self.settings)


def outputs(work: Work) -> list[Path]:
    """All paths that stylizing one image writes."""
    stages = len(work.settings.recipe.stages)
    paths = [work.out, *(stage_of(work.out, stage) for stage in range(1, stages))]
    return [*paths, frames_of(work.out), film_of(work.out)] if work.every else paths


def stage_of(out: Path, stage: int) -> Path:
    """The path of a stage before the last."""
    return out.with_name(f"{out.stem}-{stage}{out.suffix}")


def frames_of(out: Path) -> Path:
    """The folder of the intermediate images."""
    return out.with_name(f"{out.stem}-frames")


def film_of(out: Path) -> Path:
    """The path of the film of the intermediate images."""
    return out.with_suffix(".gif")


def check(work: Work) -> None:
    """Raise SettingsError or PlaceError, before any work, if an output cannot be written."""
    with system_errors(work.out):
        if work.out.is_dir():
            raise PlaceError(f"--out {work.out} is a folder; name the image to write in it.")
    check_format(work)
    with system_errors(work.out):
        if not work.out.parent.is_dir():
            raise SettingsError(f"--out {work.out}: there is no folder {work.out.parent}.")
    for path in outputs(work):
        if path != frames_of(work.out):
            check_file(path)
        elif os.path.lexists(path):
            check_folder(path)
    _check_inputs(work)


def check_format(work: Work) -> None:
    """Raise SettingsError if the format cannot hold the image."""
    suffix = work.out.suffix.lower()
    if suffix not in FORMATS:
        raise SettingsError(
            f"--out {work.out}: images are written as {', '.join(FORMATS)}; use one of these."
        )
    if work.bits not in FORMATS[suffix].bits:
        raise SettingsError(f"--bits {work.bits}: {suffix} has 8 bits; 16 go into .png or .tif.")


def check_image(work: Work, transparent: bool, longer_side: int) -> None:
    """Raise SettingsError if the format cannot hold this photograph, repainted."""
    suffix = work.out.suffix.lower()
    if transparent and not FORMATS[suffix].alpha:
        raise SettingsError(
            f"--out {work.out}: {work.content} is transparent, and this format has no alpha; "
            "use .png, .tif or .webp."
        )
    size = longer_side if work.settings.size == "original" else work.settings.size
    if size > (most := LONGEST_SIDE.get(suffix, size)):
        raise SettingsError(
            f"--out {work.out}: {suffix} holds at most {most} pixels a side; use .png or .tif, or "
            f"--size {most}."
        )


def same_place(one: Path, other: Path) -> bool:
    """Whether two paths lead to the same existing file or folder."""
    with suppress(OSError, ValueError):
        return os.path.samefile(one, other)
    return False


def _check_inputs(work: Work) -> None:
    """Raise SettingsError if an output would overwrite an input."""
    frames = frames_of(work.out)
    for what, source in _inputs(work):
        for path in outputs(work):
            if same_place(path, source) or (path == frames and same_place(path, source.parent)):
                raise SettingsError(
                    f"--out {work.out} would replace {what}, {source}; choose another name."
                )


def _inputs(work: Work) -> Iterator[tuple[str, Path]]:
    yield "the photograph itself", work.content
    yield from (("a style image", style) for style in work.styles)
    yield from (("a mask", mask) for pair in work.masks for mask in pair if mask is not None)
    if work.features is not None:
        yield "the weights", work.features
