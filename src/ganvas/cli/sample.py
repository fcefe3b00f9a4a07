"""ganvas sample: new images from a trained model."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from math import ceil, sqrt
from pathlib import Path
from typing import Annotated

import torch
import typer

from ganvas.cli.pipelines import Run, pipeline_of
from ganvas.cli.seeds import numbers
from ganvas.cli.streams import say
from ganvas.generate.pipeline import AT_ONCE, Pipeline
from ganvas.imaging import Pixels
from ganvas.imaging.grid import grid
from ganvas.imaging.tensors import to_bytes
from ganvas.imaging.write import check_place, generated_mark, write_png
from ganvas.runtime.atomic import check_folder
from ganvas.runtime.system import PlaceError

WEIGHTS = "ganvas.weights"  # key of the digest of the generator that made a file
TOLD_APART = (WEIGHTS, "ganvas.seeds", "ganvas.label", "ganvas.truncation")


def sample(
    run: Run,
    count: Annotated[
        int, typer.Option("--count", metavar="N", min=1, help="Number of images.")
    ] = 16,
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
    wanted = numbers(seeds) if seeds else list(range(seed, seed + count))
    order = Order(pipeline_of(run), truncation, label)
    order.images(wanted[:1])  # fails before a folder is made
    check_folder(out)
    (_write_sheet if sheet else _write_files)(order, wanted, out, overwrite)


@dataclass(frozen=True)
class Order:
    """The pipeline, and the options of the images to generate."""

    pipeline: Pipeline
    truncation: float | None
    label: str | None

    def images(self, seeds: list[int]) -> Pixels:
        """The images of these seeds."""
        return to_bytes(self.pipeline.generate(seeds, self.truncation, self.label))

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
        known = {"truncation": self.truncation, "label": self.label}
        given = {f"ganvas.{name}": str(value) for name, value in known.items() if value is not None}
        model = self.pipeline.metadata.model
        about = {"ganvas.model": str(model.name if model else ""), WEIGHTS: self.weights}
        return {**about, **given}


def _check(path: Path, facts: dict[str, str], overwrite: bool) -> None:
    """Raise PlaceError if an existing file is not ganvas's own, or holds other samples."""
    before = check_place(path)
    same = all(before.get(name) == facts.get(name) for name in TOLD_APART)
    if before and not same and not overwrite:
        raise PlaceError(
            f"{path} is there already, of another model, step, label or truncation; choose another "
            "--out, or add --overwrite."
        )


def _write_sheet(order: Order, seeds: list[int], out: Path, overwrite: bool) -> None:
    path = out / f"grid-{seeds[0]}-{seeds[-1]}.png"
    facts = generated_mark("sheet", {"ganvas.seeds": ",".join(map(str, seeds)), **order.facts})
    _check(path, facts, overwrite)
    write_png(path, grid(order.images(seeds), ceil(sqrt(len(seeds)))), facts)
    say(f"{len(seeds)} images on one sheet: {path}")


def _write_files(order: Order, seeds: list[int], out: Path, overwrite: bool) -> None:
    digits = max(4, len(str(max(seeds))))
    paths = [out / f"{seed:0{digits}d}.png" for seed in seeds]
    facts = [generated_mark("sample", {"ganvas.seed": str(seed), **order.facts}) for seed in seeds]
    for path, about in zip(paths, facts, strict=True):
        _check(path, about, overwrite)
    for first in range(0, len(seeds), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        images = order.images(seeds[part])
        for path, image, about in zip(paths[part], images, facts[part], strict=True):
            write_png(path, image, about)
    say(f"{len(seeds)} images in {out}")
