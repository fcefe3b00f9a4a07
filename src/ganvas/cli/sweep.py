"""ganvas sweep: try settings, prune what is behind, and train on with the best."""

from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer

from ganvas.cli.options import collect, with_settings
from ganvas.cli.show import show_events
from ganvas.cli.streams import say
from ganvas.config import SECTIONS
from ganvas.config.training import seconds
from ganvas.models import MODELS
from ganvas.runtime.names import printable
from ganvas.sweep import SweepError
from ganvas.sweep import sweep as run
from ganvas.sweep.definition import FILE
from ganvas.sweep.sweep import BEST

USUAL = 3600.0  # seconds


@with_settings(*SECTIONS, first=("size", "for"))
def sweep(
    source: Annotated[
        str | None,
        typer.Argument(metavar="SOURCE", help="Folder, .zip, digits or emoji; none to join."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Directory of the sweep.")
    ] = Path("sweep"),
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param",
            metavar="SETTING=RANGE",
            help="Range to try, such as lr_g=log(1e-3,1e-1), width=choice(24,32), r1=uniform(0,9).",
        ),
    ] = None,
    trials: Annotated[
        int, typer.Option("--trials", metavar="N", min=2, max=10_000, help="Number of trials.")
    ] = 20,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME", help=f"Model: {', '.join(MODELS)}."),
    ] = None,
    **settings: Any,
) -> None:
    """Try settings in short trials, prune what is behind, and train on with the best.

    All trials take 30 % of the time, and the best goes on with what it has learnt. Any number of
    workers may share a sweep: call the same command again, on any machine that shares its folder.
    """
    flags = collect({**settings, "model": model})
    try:
        budget = float(str(seconds(flags.pop("for", USUAL))))
    except ValueError as fault:
        raise SweepError(f"--for: {fault}.") from None
    events = run(source, out, params=param, trials=trials, budget=budget, given=flags)
    try:
        standing = show_events(events, out / BEST, part=True)
    except (KeyboardInterrupt, SystemExit):
        if (out / FILE).exists():
            say(f"Saved. It goes on with: ganvas sweep --out {quote(str(out))}", error=True)
        raise
    say(f"Report: {printable(str(standing.report))}, {printable(str(out / 'trials.png'))}")
    if standing.best is not None:
        shown = printable(str(standing.best))
        say(f"The best: {shown}\nNext:\n  ganvas sample {shown}\n  ganvas evaluate {shown}")
