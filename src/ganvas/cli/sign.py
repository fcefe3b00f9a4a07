"""ganvas sign: a signature in a corner of images."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image

from ganvas import imaging
from ganvas.cli.streams import say
from ganvas.errors import GanvasError
from ganvas.imaging.signature import CORNERS, signed
from ganvas.imaging.write import FORMATS, facts_in, write_image
from ganvas.registry import choose
from ganvas.runtime.atomic import make_folder
from ganvas.runtime.names import expand, printable
from ganvas.runtime.system import PlaceError, system_errors
from ganvas.runtime.validation import SettingsError


class SigningError(GanvasError, ValueError):
    """No image could be signed."""


def sign(
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGES", help="Images, or folders of images.")
    ],
    signature: Annotated[
        Path,
        typer.Option(
            "--signature",
            metavar="IMAGE",
            help="Signature: transparent, or ink on white paper.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for the signed images.")
    ] = Path("signed"),
    corner: Annotated[
        str, typer.Option("--corner", metavar="NAME", help=f"Corner: {', '.join(CORNERS)}.")
    ] = CORNERS[0],
    size: Annotated[
        float,
        typer.Option("--size", metavar="SHARE", help="Width, as a share of the image's width."),
    ] = 0.2,
    opacity: Annotated[
        float, typer.Option("--opacity", metavar="SHARE", help="Opacity, up to 1.")
    ] = 0.8,
) -> None:
    """Write copies of images with a signature in a corner; the originals stay."""
    place = choose("corner", {name: name for name in CORNERS}, corner)
    for name, share in (("--size", size), ("--opacity", opacity)):
        if not 0 < share <= 1:
            raise SettingsError(f"{name} {share:g}: give a share above 0, and at most 1.")
    mark = imaging.read_upright(expand(signature))
    found = _found([expand(path) for path in images])
    done = 0
    for path in found:
        goal = out / path.name
        try:
            _check(goal, found)
            image = signed(imaging.read_upright(path), mark, place, size, opacity)
            make_folder(out)  # not before there is something to put into it
            _write(goal, image, path)
        except (imaging.UnreadableImageError, PlaceError) as fault:
            say(f"ganvas: passed over: {fault}", error=True)
        else:
            done += 1
    if not done:
        raise SigningError(f"none of {len(found)} images could be signed.")
    say(f"{done:,} of {len(found):,} images signed, in {printable(str(out))}.")


def _found(places: list[Path]) -> list[Path]:
    """The images that are named, and those of folders, in order."""
    found: list[Path] = []
    for place in places:
        with system_errors(place):
            if not place.exists():
                raise SigningError(f"there is no image or folder {printable(str(place))}.")
            if place.is_dir():
                found += sorted(p for p in place.iterdir() if p.suffix.lower() in FORMATS)
            else:
                found.append(place)
    if not found:
        raise SigningError(f"there is no image with one of the endings {', '.join(FORMATS)}.")
    if wrong := [path for path in found if path.suffix.lower() not in FORMATS]:
        raise SigningError(f"{wrong[0]}: signed images end in one of {', '.join(FORMATS)}.")
    return found


def _check(goal: Path, originals: list[Path]) -> None:
    """Raise PlaceError for a place that is taken, an original's above all."""
    with system_errors(goal):
        if goal.exists():
            what = "an original" if any(goal.samefile(path) for path in originals) else "there"
            raise PlaceError(f"{goal} is {what} and stays; choose another --out.")


def _write(goal: Path, image: Image.Image, original: Path) -> None:
    """Write it in the form of its name, with what ganvas has written into the original."""
    facts = {name: fact for name, fact in facts_in(original).items() if name.startswith("ganvas.")}
    write_image(goal, np.asarray(image, np.float32) / np.float32(255), 8, facts)
