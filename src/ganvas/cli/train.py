"""ganvas train: a folder of images in, a trained model out."""

from collections import deque
from pathlib import Path
from typing import Annotated, Any

import typer

from ganvas.checkpoints.run_dir import RunDir
from ganvas.cli.complete import Names
from ganvas.cli.options import collect, with_settings
from ganvas.cli.show import show
from ganvas.cli.streams import say
from ganvas.config import SECTIONS, with_overrides
from ganvas.config import yaml as run_yaml
from ganvas.config.request import GONE
from ganvas.data.sources.builtin import SOURCES
from ganvas.integrations.trackers import TRACKERS, tracked
from ganvas.models import DEFAULT, MODELS
from ganvas.runs import train as run
from ganvas.runtime.distributed import Place
from ganvas.runtime.names import expand
from ganvas.runtime.validation import SettingsError


@with_settings(*SECTIONS, first=("size", "for", "images", "from", "batch", "seed"))
def train(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="SOURCE",
            help="Folder (with its subfolders), .zip, digits or emoji.",
            autocompletion=Names(list(SOURCES), files=True).starting,
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Run directory.")] = Path("run"),
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="NAME",
            help=f"Model: {', '.join(MODELS)}. [default: {DEFAULT}]",
            autocompletion=Names(list(MODELS)).starting,
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume the run in --out.")] = False,
    requeue: Annotated[
        bool,
        typer.Option("--requeue", help="Begin the run in --out, or resume it if it has begun."),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show the settings and their origins; train nothing."),
    ] = False,
    track: Annotated[
        list[str] | None,
        typer.Option(
            "--track",
            metavar="NAME",
            help=f"Experiment tracker to report to: {', '.join(TRACKERS)}.",
            autocompletion=Names(list(TRACKERS)).starting,
            rich_help_panel="Files",
        ),
    ] = None,
    trials: Annotated[int | None, typer.Option("--trials", "--race", hidden=True)] = None,
    config_file: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="A run.yaml to start from; options override it.",
            rich_help_panel="Files",
        ),
    ] = None,
    override: Annotated[
        list[str] | None,
        typer.Option(
            "-o",
            metavar="SETTING=VALUE",
            help="Override a setting of run.yaml, such as network.width=48.",
            rich_help_panel="Files",
        ),
    ] = None,
    **settings: Any,
) -> None:
    """Train a model on your images."""
    if trials is not None:
        raise SettingsError(f"--trials: {GONE['training.trials']}")
    described = run_yaml.read(config_file) if config_file else {}
    described = with_overrides(described, override or [])
    flags = collect({**settings, "model": model})
    events = run.train(
        source, out, resume=resume, requeue=requeue, dry_run=dry_run, given=described, **flags
    )
    if Place.of_environment().rank:  # it has nothing to say
        deque(events, maxlen=0)
        return
    if track and not dry_run:
        events = tracked(events, expand(out), track)
    try:
        show(events, out)
    except KeyboardInterrupt:
        if not RunDir(expand(out)).settings.exists():
            say("Stopped before training began; nothing is saved. Start again.", error=True)
        raise
