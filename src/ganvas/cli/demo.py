"""ganvas demo: everything once, in a minute."""

from pathlib import Path
from typing import Annotated

import typer

from ganvas import run
from ganvas.cli.show import show
from ganvas.latent.painter import load
from ganvas.sheets import grid, write_png
from ganvas.training.sampling import to_bytes

COLUMNS, ROWS = 16, 8


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.")] = Path("demo"),
    budget: Annotated[str, typer.Option("--for", help="How long to train.")] = "60s",
) -> None:
    """Train on the built-in digits and paint a sheet of new ones."""
    if run.RunFolder(out).settings.exists():
        raise run.RunError(f"{out} already holds a run; choose another folder with --out.")
    show(run.train("digits", out, budget=budget), out)
    pictures = to_bytes(load(out).sample(COLUMNS * ROWS, seed=0))
    sheet = out / "digits.png"
    write_png(sheet, grid(pictures, COLUMNS), {"ganvas.seeds": f"0-{COLUMNS * ROWS - 1}"})
    typer.echo(f"New digits that nobody wrote: {sheet}")
