"""ganvas sample: new pictures from a trained model."""

from math import ceil, sqrt
from pathlib import Path
from typing import Annotated

import typer

from ganvas.latent.painter import found_in, opened
from ganvas.sheets import grid, write_png
from ganvas.training.sampling import to_bytes

_AT_ONCE = 128  # pictures in memory


def sample(
    run: Annotated[Path, typer.Argument(help="The folder of a run, or of one of its checkpoints.")],
    count: Annotated[int, typer.Option("--count", min=1, help="How many pictures.")] = 16,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Seed of the first picture; the next follow it.")
    ] = 0,
    out: Annotated[Path, typer.Option("--out", help="Folder for the pictures.")] = Path("samples"),
    sheet: Annotated[
        bool, typer.Option("--grid", help="One sheet of all instead of a file a picture.")
    ] = False,
) -> None:
    """Paint new pictures with a trained model."""
    found, passed_over = found_in(run)
    for sentence in passed_over:
        typer.echo(f"ganvas: {sentence}", err=True)
    painter = opened(found)
    out.mkdir(parents=True, exist_ok=True)
    if sheet:
        path = out / f"grid-{seed}-{seed + count - 1}.png"
        pictures = to_bytes(painter.sample(count, seed))
        facts = {"ganvas.seeds": f"{seed}-{seed + count - 1}"}
        write_png(path, grid(pictures, ceil(sqrt(count))), facts)
        typer.echo(f"{count} pictures on one sheet: {path}")
        return
    digits = max(4, len(str(seed + count - 1)))
    for first in range(seed, seed + count, _AT_ONCE):
        seeds = list(range(first, min(first + _AT_ONCE, seed + count)))
        for one, picture in zip(seeds, to_bytes(painter.paint(seeds)), strict=True):
            facts = {"ganvas.seed": str(one), "ganvas.model": str(painter.about["model"])}
            write_png(out / f"{one:0{digits}d}.png", picture, facts)
    typer.echo(f"{count} pictures in {out}")
