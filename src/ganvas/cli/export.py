"""ganvas export: a run's generator as one small file."""

from pathlib import Path
from typing import Annotated

import typer

from ganvas.cli.pipelines import Run
from ganvas.cli.streams import say
from ganvas.generate import export as files
from ganvas.generate.trained import find_trained
from ganvas.runtime.atomic import check_file


def export(
    run: Run,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="File to write, .safetensors.")
    ] = Path(f"generator{files.ENDING}"),
) -> None:
    """Write the generator alone, in half precision, without the state that training needs.

    The file can be sampled, walked through and fine-tuned; it names no folder and no image.
    """
    if out.suffix != files.ENDING or not out.parent.is_dir():
        raise typer.BadParameter(
            f"--out takes a {files.ENDING} in a folder that exists, not {out}."
        )
    check_file(out)
    found = find_trained(run)
    for sentence in found.passed_over:
        say(f"ganvas: {sentence}", error=True)
    files.write(out, found.exported(), found.metadata)
    say(f"{out.stat().st_size / 1e6:.1f} MB: {out}")
