"""ganvas sample: new images from a trained model."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from math import ceil, sqrt
from pathlib import Path
from typing import Annotated, Literal

import torch
import typer

from ganvas.cli.pipelines import Run, found_by
from ganvas.cli.seeds import numbers
from ganvas.cli.streams import say
from ganvas.evaluation.features import DEFAULT, feature_network
from ganvas.generate.choose import best_seeds
from ganvas.generate.pipeline import AT_ONCE, Pipeline, pipeline
from ganvas.imaging import Pixels
from ganvas.imaging.grid import grid
from ganvas.imaging.tensors import to_bytes
from ganvas.imaging.write import check_place, generated_mark, write_png
from ganvas.runtime.atomic import check_folder
from ganvas.runtime.system import PlaceError

WEIGHTS = "ganvas.weights"  # key of the digest of the generator that made a file
TOLD_APART = (WEIGHTS, "ganvas.seeds", "ganvas.label", "ganvas.truncation", "ganvas.channels")
COUNT = 16
TIMES = 25  # so many images are made for each of the best, unless a number is said
Order = Literal["rgb", "bgr"]


def sample(
    run: Run,
    count: Annotated[
        int | None,
        typer.Option("--count", metavar="N", min=1, help=f"Number of images; {COUNT} if left out."),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(
            "--seed", metavar="N", min=0, help="Seed of the first image; the others follow."
        ),
    ] = 0,
    seeds: Annotated[
        str | None,
        typer.Option("--seeds", metavar="SEEDS", help="Seeds instead, such as 1-40 or 3,5,8."),
    ] = None,
    truncation: Annotated[
        float | None,
        typer.Option(
            "--truncation",
            metavar="X",
            min=0,
            max=2,
            help="Truncation (stylegan): below 1 for more typical images.",
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option("--label", metavar="CLASS", help="Class to generate, for conditional models."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for the images.")
    ] = Path("samples"),
    best: Annotated[
        int | None,
        typer.Option(
            "--best",
            metavar="N",
            min=1,
            help="Write only the N best: by the discriminator, and unlike each other.",
        ),
    ] = None,
    of: Annotated[
        int | None,
        typer.Option("--of", metavar="N", min=1, help="Number of images to choose the best of."),
    ] = None,
    order: Annotated[
        Order,
        typer.Option("--channel-order", metavar="ORDER", help="rgb, or bgr: red and blue swapped."),
    ] = "rgb",
    sheet: Annotated[
        bool, typer.Option("--grid", help="Write one sheet instead of one file per image.")
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace existing samples of another model or label."),
    ] = False,
) -> None:
    """Generate new images with a trained model."""
    if out.suffix.lower() == ".png" and not out.is_dir():
        raise typer.BadParameter(f"--out takes a folder, with --grid too, not {out}.")
    if of is not None and best is None:
        raise typer.BadParameter("--of is the number of images that --best N chooses of.")
    if count is not None and (best or seeds):
        other = "--best" if best else "--seeds"
        raise typer.BadParameter(f"--count and {other} both say how many images; leave one out.")
    many = of or (TIMES * best if best else count or COUNT)
    if best is not None and (best > many or seeds):
        what = "--seeds names all images" if seeds else f"--of {many} is less than --best {best}"
        raise typer.BadParameter(f"{what}, so that none can be chosen.")
    wanted = numbers(seeds) if seeds else list(range(seed, seed + many))
    found = found_by(run)
    wish = Wish(pipeline(found), truncation, label, order)
    first = wish.images(wanted[:1])  # fails before a folder is made
    if order == "bgr" and first.shape[-1] < len("bgr"):
        say("The images are grey: --channel-order changes nothing.", error=True)
    if best is not None:
        network = feature_network(DEFAULT)
        wanted = best_seeds(found, wish.pipeline, network, wanted, best, label)
    check_folder(out)
    (_write_sheet if sheet else _write_files)(wish, wanted, out, overwrite)


@dataclass(frozen=True)
class Wish:
    """The pipeline, and the options of the images to generate."""

    pipeline: Pipeline
    truncation: float | None
    label: str | None
    channels: Order = "rgb"

    def images(self, seeds: list[int]) -> Pixels:
        """The images of these seeds."""
        made = to_bytes(self.pipeline.generate(seeds, self.truncation, self.label))
        return swapped(made) if self.channels == "bgr" else made

    @cached_property
    def weights(self) -> str:
        """A digest of the generator's weights."""
        digest = hashlib.blake2b(digest_size=8)
        for tensor in self.pipeline.generator.state_dict().values():
            digest.update(tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()

    @cached_property
    def facts(self) -> dict[str, str]:
        """The facts that are stored in every file."""
        channels = None if self.channels == "rgb" else self.channels
        known = {"truncation": self.truncation, "label": self.label, "channels": channels}
        given = {f"ganvas.{name}": str(value) for name, value in known.items() if value is not None}
        model = self.pipeline.metadata.model
        about = {"ganvas.model": str(model.name if model else ""), WEIGHTS: self.weights}
        return {**about, **given}


def swapped(images: Pixels) -> Pixels:
    """Images (N, H, W, C) with red and blue swapped, as OpenCV reads a file; grey ones as they
    are."""
    if images.shape[-1] < 3:
        return images
    return images[..., [2, 1, 0, *range(3, images.shape[-1])]]


def _check(path: Path, facts: dict[str, str], overwrite: bool) -> None:
    """Raise PlaceError if an existing file is not ganvas's own, or holds other samples."""
    before = check_place(path)
    same = all(before.get(name) == facts.get(name) for name in TOLD_APART)
    if before and not same and not overwrite:
        raise PlaceError(
            f"{path} is there already, of another model, step, label, truncation or channel "
            "order; choose another --out, or add --overwrite."
        )


def _write_sheet(wish: Wish, seeds: list[int], out: Path, overwrite: bool) -> None:
    path = out / f"grid-{seeds[0]}-{seeds[-1]}.png"
    facts = generated_mark("sheet", {"ganvas.seeds": ",".join(map(str, seeds)), **wish.facts})
    _check(path, facts, overwrite)
    write_png(path, grid(wish.images(seeds), ceil(sqrt(len(seeds)))), facts)
    say(f"{len(seeds)} images on one sheet: {path}")


def _write_files(wish: Wish, seeds: list[int], out: Path, overwrite: bool) -> None:
    digits = max(4, len(str(max(seeds))))
    paths = [out / f"{seed:0{digits}d}.png" for seed in seeds]
    facts = [generated_mark("sample", {"ganvas.seed": str(seed), **wish.facts}) for seed in seeds]
    for path, about in zip(paths, facts, strict=True):
        _check(path, about, overwrite)
    for first in range(0, len(seeds), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        images = wish.images(seeds[part])
        for path, image, about in zip(paths[part], images, facts[part], strict=True):
            write_png(path, image, about)
    say(f"{len(seeds)} images in {out}")
