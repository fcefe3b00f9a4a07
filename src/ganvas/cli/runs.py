"""ganvas runs: every run below a folder, in a line each."""

import json
import math
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ganvas.cli.streams import say
from ganvas.runs.errors import RunError
from ganvas.runs.listing import DEAD, Listed, describe, find_runs
from ganvas.runtime.names import expand, printable
from ganvas.runtime.system import system_errors

HEADS = ("run", "model", "size", "images", "state", "KID", "disk", "newest samples")
RIGHT = {"images", "KID", "disk"}


def runs(
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="Folder whose runs are listed.")
    ] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print the runs as JSON.")] = False,
) -> None:
    """List the runs below a folder: what they are, how far, and whether they train."""
    place = expand(folder)
    with system_errors(place):
        if not place.is_dir():
            raise RunError(f"{folder} is no folder; name one that holds runs.")
        found = [describe(run) for run in find_runs(place)]
    if as_json:
        say(*json.dumps([_plain(run) for run in found], indent=1).split("\n"))
        return
    if not found:
        say(f"There is no run below {folder}. To begin one: ganvas train my-images/")
        return
    table = Table(box=None, pad_edge=False)
    for head in HEADS:
        table.add_column(head, justify="right" if head in RIGHT else "left", overflow="fold")
    for run in found:
        table.add_row(*(printable(cell) for cell in _cells(run, place)))
    Console(highlight=False, markup=False).print(table)


def _cells(run: Listed, place: Path) -> tuple[str, ...]:
    goal = "" if run.goal is None else f" of {run.goal:,}"
    score = "" if run.score is None else f"{run.score:.3g}"
    samples = "" if run.thumbnail is None else _short(run.thumbnail, place)
    state = run.state
    if state == DEAD:
        state += f" since {datetime.fromtimestamp(run.changed):%Y-%m-%d %H:%M}"
    return (
        _short(run.path, place),
        run.model,
        run.size,
        f"{run.images:,}{goal}",
        state,
        score,
        f"{run.disk / 1e6:,.1f} MB",
        samples,
    )


def _short(path: Path, place: Path) -> str:
    return str(path.relative_to(place)) if path != place else path.absolute().name


def _plain(run: Listed) -> dict[str, object]:
    """As JSON, which has no numbers that are not finite."""
    score = run.score if run.score is not None and math.isfinite(run.score) else None
    return run.as_json() | {"score": score}
