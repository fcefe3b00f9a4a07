"""A job: a command of ganvas, and what it is to run on."""

import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ganvas.errors import GanvasError
from ganvas.runtime.atomic import write_text
from ganvas.runtime.names import condense, printable

if TYPE_CHECKING:
    from ganvas.launch.engine import Engine

MARK = "Written by ganvas launch"
RESTARTS = 3  # times that a lost process may begin again


class JobError(GanvasError, ValueError):
    """A job that cannot be written, or that the engine does not take."""


@dataclass(frozen=True)
class Job:
    """What is to run, where it lies, and on how much."""

    words: tuple[str, ...]  # of the command, after `ganvas`
    folder: Path  # in which the command runs
    source: str | None  # the images, as the command names them
    out: str  # the run directory, as the command names it
    builtin: bool = False  # whether the images come with ganvas
    nodes: int = 1
    gpus: int = 0  # of each node
    processes: int = 1  # on each node
    cpus: int = 1  # for each process
    minutes: int | None = None
    python: str = "python3"
    name: str = "ganvas"
    data: str | None = None  # where the images lie for the engine, if elsewhere
    results: str | None = None  # where the run is to lie for it
    compute: str | None = None  # the machines that are to be taken

    @property
    def count(self) -> int:
        """The number of processes of the run."""
        return self.nodes * self.processes

    @property
    def line(self) -> str:
        """The command as a shell takes it."""
        return shlex.join([self.python, "-m", "ganvas", *self.words])


def write(content: str, path: Path) -> None:
    """Write a job's file; raises JobError where another file lies, and PlaceError."""
    if path.exists() and MARK not in path.read_text("utf-8", errors="replace"):
        raise JobError(
            f"{printable(str(path))} is not a file of ganvas launch; choose another --to."
        )
    write_text(path, content)


def submit(engine: "Engine", job: Job, path: Path) -> str:
    """Hand a written job to the engine's client, and return the last line that it says.

    Raises JobError where the client is not installed or does not take it.
    """
    command = engine.client(job, path)
    typed = shlex.join(command)
    if shutil.which(command[0]) is None:
        raise JobError(
            f"{command[0]} is not installed here, so the job is only written; where it is, hand it "
            f"in by: {typed}"
        )
    done = subprocess.run(command, capture_output=True, text=True, cwd=job.folder, check=False)
    said = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    if done.returncode:
        reason = condense(said[-1]) if said else f"it ended with {done.returncode}"
        raise JobError(f"{command[0]} did not take the job: {reason} ({typed})")
    return said[-1] if said else ""
