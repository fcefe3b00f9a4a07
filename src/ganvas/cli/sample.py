"""ganvas sample: new pictures from a trained model."""

from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path
from typing import Annotated

import typer

from ganvas.cli.painters import Run, painter_of
from ganvas.cli.seeds import numbers
from ganvas.images import Pixels
from ganvas.latent.painter import AT_ONCE, Painter
from ganvas.sheets import grid, write_png
from ganvas.training.sampling import to_bytes


def sample(
    run: Run,
    count: Annotated[int, typer.Option("--count", min=1, help="How many pictures.")] = 16,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Seed of the first picture; the next follow it.")
    ] = 0,
    seeds: Annotated[
        str | None, typer.Option("--seeds", help="Or the seeds themselves, such as 1-40 or 3,5,8.")
    ] = None,
    truncation: Annotated[
        float | None,
        typer.Option(
            "--truncation",
            min=0,
            max=2,
            help="For models with styles: below 1 rather typical pictures, 0 the mean alone.",
        ),
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", help="Of which class, where a model has learnt them.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the pictures.")] = Path("samples"),
    sheet: Annotated[
        bool, typer.Option("--grid", help="One sheet of all instead of a file a picture.")
    ] = False,
) -> None:
    """Paint new pictures with a trained model."""
    wanted = numbers(seeds) if seeds else list(range(seed, seed + count))
    order = Order(painter_of(run), truncation, label)
    (_write_sheet if sheet else _write_files)(order, wanted, out)


@dataclass(frozen=True)
class Order:
    """Who paints, and how."""

    painter: Painter
    truncation: float | None
    label: str | None

    def pictures(self, seeds: list[int]) -> Pixels:
        """The pictures of these seeds."""
        return to_bytes(self.painter.paint(seeds, self.truncation, self.label))

    @property
    def facts(self) -> dict[str, str]:
        """What stands inside every file."""
        known = {"truncation": self.truncation, "label": self.label}
        given = {f"ganvas.{name}": str(value) for name, value in known.items() if value is not None}
        return {"ganvas.model": str(self.painter.about["model"]), **given}


def _write_sheet(order: Order, seeds: list[int], out: Path) -> None:
    pictures = order.pictures(seeds)
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"grid-{seeds[0]}-{seeds[-1]}.png"
    facts = {"ganvas.seeds": ",".join(map(str, seeds)), **order.facts}
    write_png(path, grid(pictures, ceil(sqrt(len(seeds)))), facts)
    typer.echo(f"{len(seeds)} pictures on one sheet: {path}")


def _write_files(order: Order, seeds: list[int], out: Path) -> None:
    digits = max(4, len(str(max(seeds))))
    for first in range(0, len(seeds), AT_ONCE):
        part = seeds[first : first + AT_ONCE]
        pictures = order.pictures(part)
        out.mkdir(parents=True, exist_ok=True)
        for seed, picture in zip(part, pictures, strict=True):
            write_png(
                out / f"{seed:0{digits}d}.png", picture, {"ganvas.seed": str(seed), **order.facts}
            )
    typer.echo(f"{len(seeds)} pictures in {out}")
