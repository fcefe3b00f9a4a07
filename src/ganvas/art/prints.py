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
from ganvas.art.ledger import Ledger, fingerprint
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
RUN, CHOSEN, REPAINTED, PRINTS = "run", "chosen", "repainted", "prints"
SEED = "seed"  # how names of chosen images begin


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
    paintings = _images(wish.paintings, "painting")
    mark = None if wish.signature is None else imaging.read_upright(wish.signature)
    contents = [] if wish.photos is None else _images(wish.photos, "photograph")
    if wish.start is not None:
        find_trained(wish.start)
    make_folder(wish.out)
    ledger = Ledger(wish.out)
    if wish.start is not None or wish.photos is None:
        contents = [*(yield from _generated(wish, ledger)), *contents]
    repainted = yield from _repainted(wish, contents, Turns(paintings), ledger)
    if not repainted:
        raise ArtError("none of the images could be repainted.")
    made = []
    make_folder(wish.out / PRINTS)
    signature = b"" if wish.signature is None else wish.signature.read_bytes()
    for path in repainted:
        place = wish.out / PRINTS / path.name
        of = fingerprint(path.read_bytes(), signature, wish.enlarged)
        if not ledger.stands(place, of):
            _print(path, place, mark, wish.enlarged)
            ledger.add(place, of)
        made.append(place)
    _contact_sheet(made, wish.out / "contact.png")
    number = f"{len(made)} prints" if len(made) > 1 else "1 print"
    yield Notice(f"{number} in {wish.out / PRINTS}, all on {wish.out / 'contact.png'}.")
    return made


def _images(folder: Path, what: str) -> list[Path]:
    """The images of a folder, or the one file that it is, in order; raises ArtError where there
    are none."""
    with system_errors(folder):
        if not folder.exists():
            raise ArtError(f"there is no folder {printable(str(folder))}.")
        found = [folder] if folder.is_file() else sorted(folder.rglob("*"))
    found = [path for path in found if path.suffix.lower() in FORMATS]
    if not found:
        raise ArtError(f"{printable(str(folder))} holds no {what} that can be read.")
    return found


class Turns:
    """Paintings that take turns; one that cannot be read is left out, and named once."""

    def __init__(self, paintings: list[Path]) -> None:
        self.left = list(paintings)
        self.known: set[Path] = set()
        self.turn = 0

    def next(self) -> Generator[Event, None, Path]:
        """The painting whose turn it is; raises ArtError when none is left."""
        while self.left:
            self.turn %= len(self.left)
            painting = self.left[self.turn]
            if painting in self.known or (yield from _readable(painting)):
                self.known.add(painting)
                self.turn += 1
                return painting
            del self.left[self.turn]
        raise ArtError("none of the paintings can be read.")


def _readable(path: Path) -> Generator[Event, None, bool]:
    try:
        imaging.read_upright(path)
    except UnreadableImageError as fault:
        yield Notice(f"Left out: {fault}")
        return False
    return True


def _generated(wish: Commission, ledger: Ledger) -> Generator[Event, None, list[Path]]:
    """The chosen images of a model, which is trained on the paintings unless one was named.

    Images that somebody has deleted are not chosen again.
    """
    folder, model = wish.out / CHOSEN, wish.start or RUN
    there = sorted(folder.glob("*.png")) if folder.is_dir() else []
    there = [path for path in there if ledger.stands(path, model)]
    if len(there) >= wish.count:
        return there[: wish.count]
    if wish.start is None:
        run = RunDir(wish.out / RUN)
        resume = begun(run)
        source = None if resume else wish.paintings
        yield from train(source, run.path, resume=resume, budget=wish.seconds)
        found = find_trained(run.path)
    else:
        found = find_trained(wish.start)
    taken = {int(path.stem.removeprefix(SEED)) for path in ledger.made(folder, model)}
    seeds = [seed for seed in range(TIMES * wish.count + len(taken)) if seed not in taken]
    more = wish.count - len(there)
    yield Notice(f"The best {more} of {len(seeds)} images that {found.name} generates.")
    made = _chosen(found, seeds, more, folder)
    for path in made:
        ledger.add(path, model)
    return sorted([*there, *made])


def _chosen(found: Trained, seeds: list[int], count: int, folder: Path) -> list[Path]:
    made, network = pipeline(found), feature_network(DEFAULT)
    if found.scoring() is not None:
        taken = best_seeds(found, made, network, seeds, count)
    else:  # of an exported generator: those that are least alike
        parts = [seeds[first : first + AT_ONCE] for first in range(0, len(seeds), AT_ONCE)]
        features = torch.cat([network.features(made.generate(part)) for part in parts])
        taken = [seeds[place] for place in best(torch.zeros(len(seeds)), features, count)]
    make_folder(folder)
    paths = []
    for seed, image in zip(taken, to_bytes(made.generate(taken)), strict=True):
        paths.append(folder / f"{SEED}{seed:05d}.png")
        facts = {"ganvas.seed": str(seed)}
        write_png(paths[-1], image, generated_mark("sample", facts))
    return paths


def _repainted(
    wish: Commission, contents: list[Path], paintings: Turns, ledger: Ledger
) -> Generator[Event, None, list[Path]]:
    """Every image in the style of a painting, which take turns."""
    folder = wish.out / REPAINTED
    settings = StyleSettings(size=wish.size, strength=wish.strength)
    made = []
    for number, content in enumerate(contents, 1):
        if not (yield from _readable(content)):
            continue
        painting = yield from paintings.next()
        place = folder / f"{number:03d}-{content.stem}.png"
        of = fingerprint(content.read_bytes(), painting.read_bytes(), wish.size, wish.strength)
        if not ledger.stands(place, of):
            pair = f"{content.name} in the style of {painting.name}"
            yield Notice(f"Image {number} of {len(contents)}: {pair}.")
            make_folder(folder)
            work = Work(
                content, (painting,), place, settings, keep_unfinished=False, overwrite=True
            )
            yield from stylize_file(work)
            ledger.add(place, of)
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
