"""ganvas demo: training, sampling and style transfer once, in two minutes."""

from pathlib import Path
from typing import Annotated

import typer

from ganvas.checkpoints.run_dir import RunDir
from ganvas.cli.show import show
from ganvas.cli.streams import say
from ganvas.generate.pipeline import load
from ganvas.imaging.grid import grid
from ganvas.imaging.tensors import to_bytes
from ganvas.imaging.write import generated_mark, write_png
from ganvas.pretrained.examples import EXAMPLES
from ganvas.runs.errors import RunError
from ganvas.runs.train import train
from ganvas.style.files import stylize_file
from ganvas.style.settings import StyleSettings
from ganvas.style.work import Work

COLUMNS, ROWS = 16, 8
STYLE = StyleSettings(size=384)


def demo(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for the results.")
    ] = Path("demo"),
    budget: Annotated[str, typer.Option("--for", metavar="TIME", help="Time to train.")] = "60s",
) -> None:
    """Train on the built-in digits and generate a sheet of new ones; repaint a photograph."""
    if RunDir(out).settings.exists():
        raise RunError(f"{out} already holds a run; choose another folder with --out.")
    show(train("digits", out, budget=budget), out)
    images = to_bytes(load(out).sample(COLUMNS * ROWS, seed=0))
    sheet = out / "digits.png"
    write_png(
        sheet,
        grid(images, COLUMNS),
        generated_mark("sheet", {"ganvas.seeds": f"0-{COLUMNS * ROWS - 1}"}),
    )
    say(f"Generated digits: {sheet}")
    moose = Work(EXAMPLES["moose"], (EXAMPLES["night_cafe"],), out / "moose.png", STYLE)
    show(stylize_file(moose), out)
    say(f"A moose in the style of Van Gogh's café at night: {moose.out}")
