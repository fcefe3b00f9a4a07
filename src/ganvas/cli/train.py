"""ganvas train: a folder of images in, a trained model out."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ganvas.cli.options import collect, with_settings
from ganvas.cli.show import show
from ganvas.config import with_overrides
from ganvas.config import yaml as run_yaml
from ganvas.models import DEFAULT, MODELS
from ganvas.runs import train as run

_MODELS = "; ".join(f"{name}: {entry.summary}" for name, entry in MODELS.items())


@with_settings(("data", "network", "game", "training", "doctor", "evaluation"))
def train(
    source: Annotated[
        str | None,
        typer.Argument(help="A folder (searched recursively), a .zip, or digits or emoji."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="Run directory; nothing is written outside it.")
    ] = Path("run"),
    model: Annotated[
        str | None, typer.Option("--model", help=f"{_MODELS} [default: {DEFAULT}]")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume the run in --out.")] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show the settings and their origins; train nothing."),
    ] = False,
    config_file: Annotated[
        Path | None, typer.Option("--config", help="A run.yaml to start from; options override it.")
    ] = None,
    override: Annotated[
        list[str] | None,
        typer.Option("-o", help="Override one setting of run.yaml, such as -o network.width=48."),
    ] = None,
    **settings: Any,
) -> None:
    """Train a model on your images."""
    described = run_yaml.read(config_file) if config_file else {}
    described = with_overrides(described, override or [])
    flags = collect({**settings, "model": model})
    events = run.train(source, out, resume=resume, dry_run=dry_run, given=described, **flags)
    show(events, out)
