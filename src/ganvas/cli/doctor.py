"""ganvas doctor: the history of a run in plain words."""

from bisect import bisect_right
from pathlib import Path
from typing import Annotated

import typer

from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.run_dir import RunDir
from ganvas.cli.streams import say
from ganvas.doctor.page import page
from ganvas.doctor.report import History, condition, describe_incident, next_steps
from ganvas.runs.errors import RunError
from ganvas.runtime.atomic import check_file, write_text
from ganvas.runtime.names import absolute, expand
from ganvas.training.callbacks import log
from ganvas.training.callbacks.samples import grids


def doctor(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run directory.")],
    html: Annotated[
        Path | None,
        typer.Option(
            "--html", metavar="FILE", help="Write a page with curves and samples instead."
        ),
    ] = None,
) -> None:
    """Show what went wrong in a run, what was done, and whether it helped."""
    folder = RunDir(expand(run))
    if not folder.settings.exists() and not checkpoint.list_checkpoints(folder.checkpoints):
        raise RunError(f"{run} holds no run; give the folder that ganvas train --out made.")
    if html is not None:
        html = expand(html)
        check_file(html)
    found, passed_over = checkpoint.newest(folder.checkpoints)
    for sentence in passed_over:
        say(f"ganvas: {sentence}", error=True)
    history = History.of(found.metadata)
    if history is None:
        raise RunError(f"{run} was trained without a doctor; train with --doctor treat or advise.")
    name = absolute(run).name
    title = f"{name}: {history.step:,} steps, {history.images:,} images"
    if html is not None:
        curves = folder.curves if folder.curves.is_file() else None
        write_text(html, page(title, history, curves, _strips(folder, history)))
        say(f"The history of {name}: {html}")
        return
    say(f"{title}.")
    if not history.incidents.all:
        say(f"No issue was detected in {history.step:,} steps.")
    for incident in history.incidents.all:
        first, *others = describe_incident(incident)
        say("", first, *(f"  {line}" for line in others))
    for head, lines in (("Now", condition(history)), ("To try by hand", next_steps(history))):
        if lines:
            say("", f"{head}:", *(f"  {line}" for line in lines))


def _strips(folder: RunDir, history: History) -> dict[int, dict[str, Path]]:
    """The sample sheets before and after each incident, by the incident's step."""
    shown = {
        line["step"]: line["images"] for line in log.read(folder.metrics_log) if "images" in line
    }
    sheets = grids(folder.samples)
    images = [int(sheet.stem) for sheet in sheets]
    strips = {}
    for incident in history.incidents.all:
        step = incident.diagnosis.step
        at = max((number for s, number in shown.items() if s <= step), default=0)
        place = bisect_right(images, at)
        around = {"before": sheets[place - 1 : place], "after": sheets[place : place + 1]}
        strips[step] = {what: sheet[0] for what, sheet in around.items() if sheet}
    return strips
