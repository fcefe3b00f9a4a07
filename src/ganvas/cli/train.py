"""ganvas train: a folder of pictures in, a trained model out."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ganvas import config
from ganvas.cli.options import given, with_settings
from ganvas.cli.show import show
from ganvas.models import MODELS
from ganvas.runs import train as run

_MODELS = "; ".join(f"{name}: {entry.summary}" for name, entry in MODELS.items())


@with_settings(("data", "network", "game", "training", "doctor", "evaluation"))
def train(
    source: Annotated[
        str | None,
        typer.Argument(help="A folder (searched recursively), a .zip, or digits or emoji."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="Folder of the run; nothing is written outside it.")
    ] = Path("run"),
    model: Annotated[
        str | None, typer.Option("--model", help=f"{_MODELS} [default: {config.DEFAULT_MODEL}]")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    config_file: Annotated[
        Path | None, typer.Option("--config", help="A run.yaml to start from; options override it.")
    ] = None,
    override: Annotated[
        list[str] | None,
        typer.Option("-o", help="Override one setting of run.yaml, such as -o network.width=48."),
    ] = None,
    **settings: Any,
) -> None:
    """Train a model on your pictures."""
    described = config.read(config_file) if config_file else {}
    described = config.overridden(described, override or [])
    flags = given({**settings, "model": model})
    show(run.train(source, out, resume=resume, given=described, **flags), out)
