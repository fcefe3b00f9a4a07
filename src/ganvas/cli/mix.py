"""ganvas mix: the coarse features of some images with the fine features of others."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from ganvas.cli.pipelines import Run, pipeline_of
from ganvas.cli.seeds import numbers
from ganvas.cli.streams import say
from ganvas.generate.style_mixing import cross
from ganvas.imaging import Pixels
from ganvas.imaging.grid import grid
from ganvas.imaging.tensors import to_bytes
from ganvas.imaging.write import check_place, generated_mark, write_png


def mix(
    run: Run,
    rows: Annotated[
        str,
        typer.Option("--rows", metavar="SEEDS", help="Seeds of the shapes, such as 1-4 or 3,5."),
    ] = "1-4",
    columns: Annotated[
        str, typer.Option("--cols", metavar="SEEDS", help="Seeds of the colours and details.")
    ] = "5-10",
    layers: Annotated[
        str | None,
        typer.Option(
            "--layers",
            metavar="RANGE",
            help="Layers taken from the columns, such as 2-4; 0 is coarsest. "
            "[default: the finer half]",
        ),
    ] = None,
    truncation: Annotated[
        float,
        typer.Option(
            "--truncation",
            metavar="X",
            min=0,
            max=2,
            help="Truncation: below 1 for more typical images.",
        ),
    ] = 1.0,
    out: Annotated[Path, typer.Option("--out", metavar="PNG", help="Sheet to write.")] = Path(
        "mix.png"
    ),
) -> None:
    """Cross images with others on one sheet; for models with styles, such as stylegan.

    The first column shows the rows' own images, the first row those of the columns.
    """
    if out.suffix.lower() != ".png" or not out.parent.is_dir():
        raise typer.BadParameter(f"--out takes a .png in a folder that exists, not {out}.")
    check_place(out)
    row_seeds, column_seeds = numbers(rows), numbers(columns)
    pipeline = pipeline_of(run)
    down, across = pipeline.styles(row_seeds, truncation), pipeline.styles(column_seeds, truncation)
    depth = down.shape[1]
    chosen = numbers(layers) if layers else list(range(depth // 2, depth))
    if chosen != list(range(chosen[0], chosen[-1] + 1)) or chosen[-1] >= depth:
        raise typer.BadParameter(f"--layers takes a range within 0-{depth - 1}, such as 2-4.")
    table = cross(down, across, range(chosen[0], chosen[-1] + 1))
    generated_images = [
        to_bytes(pipeline.from_styles(s)) for s in (down, across, table.flatten(0, 1))
    ]
    sheet = grid(_frame(*generated_images), len(column_seeds) + 1)
    facts = {"ganvas.rows": rows, "ganvas.cols": columns, "ganvas.layers": _in_words(chosen)}
    write_png(out, sheet, generated_mark("sheet", facts))
    say(f"layers {_in_words(chosen)} of 0-{depth - 1} from the columns: {out}")


def _frame(down: Pixels, across: Pixels, table: Pixels) -> Pixels:
    """All images of the sheet, row by row, with a blank first corner."""
    corner = np.full_like(across[:1], 255)
    rows = [np.concatenate([corner, across])]
    for row, crossings in zip(down, np.split(table, len(down)), strict=True):
        rows.append(np.concatenate([row[None], crossings]))
    return np.concatenate(rows)


def _in_words(layers: list[int]) -> str:
    return f"{layers[0]}-{layers[-1]}"
