"""ganvas branch: a new run that goes on from a checkpoint of another one."""

from pathlib import Path
from typing import Annotated

import typer

from ganvas.checkpoints.run_dir import RunDir
from ganvas.cli.streams import say
from ganvas.runs.branch import branch as make
from ganvas.runtime.names import expand, printable


def branch(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run directory.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Directory of the new run.")],
    step: Annotated[
        int | None,
        typer.Option(
            "--step",
            metavar="N",
            help="Step of the checkpoint to branch from. [default: the newest]",
        ),
    ] = None,
) -> None:
    """Begin another run from a checkpoint of this one, which stays as it is.

    The new run goes on exactly as this one would have, until you change a setting.
    """
    found = make(RunDir(expand(run)), RunDir(expand(out)), step)
    state = found.state
    say(f"{printable(str(out))} begins after step {state.step:,}, {state.images:,} images.")
    say(f"To train it: ganvas train --resume --out {printable(str(out))}")
