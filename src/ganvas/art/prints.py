"""Generate, choose, repaint, enlarge, sign: every step leaves its files, and is not done twice.

OUT/run/         the run that has learnt from the paintings, unless a model was named
OUT/chosen/      the best of many generated images
OUT/repainted/   these, and photographs, each in the style of a painting
OUT/prints/      enlarged and signed
OUT/contact.png  all prints on one sheet
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ganvas import imaging
from ganvas.checkpoints.run_dir import RunDir
from ganvas.errors import GanvasError
from ganvas.evaluation.features import DEFAULT, feature_network
from ganvas.events import Event, Notice
from ganvas.generate.choose import best, best_seeds
from ganvas.generate.pipeline import AT_ONCE, pipeline
from ganvas.generate.trained import Trained, find_trained
from ganvas.imaging import Frame, Pixels, UnreadableImageError
from ganvas.imaging.grid import grid
from ganvas.imaging.resize import fit
from ganvas.imaging.signature import signed
from ganvas.imaging.tensors import to_bytes
from ganvas.imaging.write import FORMATS, facts_in, generated_mark, write_image, write_png
from ganvas.runs.fresh import begun
from ganvas.runs.train import train
from ganvas.runtime.atomic import make_folder
from ganvas.runtime.names import printable
from ganvas.runtime.system import PlaceError, system_errors
from ganvas.style.files import stylize_file
from ganvas.style.settings import StyleSettings
from ganvas.style.work import Work

TIMES = 25  # images to choose from, for each that is chosen
THUMBNAIL = 320  # pixels, on the contact sheet
MOST_PIXELS = 30_000  # a side of a print


class ArtError(GanvasError, ValueError):
    """Prints that cannot be made as they were asked for; the message says what to change."""


@dataclass(frozen=True)
class Commission:
    """What is to be made, of what."""

    paintings: Path
    out: Path
    photos: Path | None = None
    start: str | None = None  # a trained model
    signature: Path | None = None
    count: int = 6  # generated images
    seconds: float = 600.0  # of training, without a model
    size: int = 512  # pixels of the longer side while an image is repainted
    enlarged: int = 2048  # and of a print
    strength: float = 0.5


def prints(wish: Commission) -> Generator[Event, None, list[Path]]:
    """Make the prints, or what is missing of them; returns their paths.

    Raises ArtError, UnreadableImageError for the signature, PlaceError, and what training and style
    transfer raise for everything; single images that cannot be read are passed over.
    """
    paintings = _images(wish.paintings)
    if not paintings:
        raise ArtError(f"{printable(str(wish.paintings))} holds no painting that can be read.")
    mark = None if wish.signature is None else imaging.read_upright(wish.signature)
    contents = [] if wish.photos is None else _images(wish.photos)
    if wish.photos is not None and not contents:
        raise ArtError(f"{printable(str(wish.photos))} holds no photograph that can be read.")
    make_folder(wish.out)
    if wish.start is not None or wish.photos is None:
        contents = [*(yield from _generated(wish)), *contents]
    repainted = yield from _repainted(wish, contents, paintings)
    made = []
    make_folder(wish.out / "prints")
    for path in repainted:
        place = wish.out / "prints" / path.name
        if not place.exists():
            _print(path, place, mark, wish.enlarged)
        made.append(place)
    if not made:
        raise ArtError("none of the images could be repainted.")
    _contact_sheet(made, wish.out / "contact.png")
    yield Notice(f"{len(made)} prints in {wish.out / 'prints'}, all on {wish.out / 'contact.png'}.")
    return made


def _images(folder: Path) -> list[Path]:
    """The images of a folder, or the one file that it is, in order."""
    with system_errors(folder):
        if not folder.is_dir():
            return [folder] if folder.is_file() else []
        return sorted(path for path in folder.rglob("*") if path.suffix.lower() in FORMATS)


def _generated(wish: Commission) -> Generator[Event, None, list[Path]]:
    """The chosen images of a model, which is trained on the paintings unless one was named."""
    folder = wish.out / "chosen"
    there = _images(folder) if folder.is_dir() else []
    if len(there) >= wish.count:
        return there[: wish.count]
    if wish.start is None:
        run = RunDir(wish.out / "run")
        resume = begun(run)
        source = None if resume else wish.paintings
        yield from train(source, run.path, resume=resume, budget=wish.seconds)
        found = find_trained(run.path)
    else:
        found = find_trained(wish.start)
    return (yield from _chosen(found, wish, folder))


def _chosen(found: Trained, wish: Commission, folder: Path) -> Generator[Event, None, list[Path]]:
    made, network = pipeline(found), feature_network(DEFAULT)
    seeds = [*range(TIMES * wish.count)]
    yield Notice(f"The best {wish.count} of {len(seeds)} images that {found.name} generates.")
    if found.scoring() is not None:
        taken = best_seeds(found, made, network, seeds, wish.count)
    else:  # of an exported generator: those that are least alike
        parts = [seeds[first : first + AT_ONCE] for first in range(0, len(seeds), AT_ONCE)]
        features = torch.cat([network.features(made.generate(part)) for part in parts])
        taken = [seeds[place] for place in best(torch.zeros(len(seeds)), features, wish.count)]
    make_folder(folder)
    paths = []
    for seed, image in zip(taken, to_bytes(made.generate(taken)), strict=True):
        paths.append(folder / f"seed{seed:05d}.png")
        facts = {"ganvas.seed": str(seed)}
        write_png(paths[-1], image, generated_mark("sample", facts))
    return paths


def _repainted(
    wish: Commission, contents: list[Path], paintings: list[Path]
) -> Generator[Event, None, list[Path]]:
    """Every image in the style of a painting, which take turns."""
    folder = wish.out / "repainted"
    make_folder(folder)
    settings = StyleSettings(size=wish.size, strength=wish.strength)
    made = []
    for number, content in enumerate(contents):
        painting = paintings[number % len(paintings)]
        place = folder / f"{number + 1:03d}-{content.stem}.png"
        if not place.exists():
            try:
                work = Work(content, (painting,), place, settings, keep_unfinished=False)
                yield from stylize_file(work)
            except UnreadableImageError as fault:
                yield Notice(f"Passed over: {fault}")
                continue
        made.append(place)
    return made


def _print(path: Path, place: Path, mark: Image.Image | None, longer: int) -> None:
    """Enlarge an image, sign it, and write it beside the one that it was."""
    image = imaging.read_upright(path)
    scale = longer / max(image.size)
    if scale > 1:
        width, height = (max(1, round(side * scale)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    if mark is not None:
        image = signed(image, mark)
    facts = {name: fact for name, fact in facts_in(path).items() if name.startswith("ganvas.")}
    pixels = np.asarray(image if image.mode == "RGBA" else image.convert("RGB"), np.float32)
    write_image(place, pixels / np.float32(255), 8, facts)


def _contact_sheet(paths: list[Path], place: Path) -> None:
    frame = Frame(THUMBNAIL, THUMBNAIL, 3, "pad", "white")
    images: Iterator[Pixels] = (fit(imaging.read_upright(path), frame) for path in paths)
    write_png(place, grid(np.stack([*images]), ceil(sqrt(len(paths)))), generated_mark("sheet"))


def check(wish: Commission) -> None:
    """Raises ArtError for numbers that make no print."""
    if not 64 <= wish.size <= wish.enlarged <= MOST_PIXELS:
        raise ArtError(
            f"--size {wish.size} and --print {wish.enlarged}: a print has at least the pixels of "
            f"the repainted image, and at most {MOST_PIXELS:,}."
        )
    if wish.photos is not None and wish.photos.resolve() == wish.out.resolve():
        raise PlaceError(f"--out {wish.out} is the folder of photographs; choose another.")
