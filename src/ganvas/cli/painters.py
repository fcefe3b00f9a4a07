"""The trained model that a command was given."""

from pathlib import Path

import typer

from ganvas.latent.painter import Painter, found_in, opened


def painter_of(run: Path) -> Painter:
    """The generator of a run or checkpoint; says so when a damaged checkpoint was passed over."""
    found, passed_over = found_in(run)
    for sentence in passed_over:
        typer.echo(f"ganvas: {sentence}", err=True)
    return opened(found)
