"""What an engine must know: how its job is written, and who takes it."""

from pathlib import Path
from typing import Protocol

from ganvas.launch.job import Job


class Engine(Protocol):
    """An engine that starts processes on one or several machines."""

    file: str
    """The usual name of its job's file."""
    uses: frozenset[str]
    """Options of `ganvas launch` that not every engine has a use for."""

    def written(self, job: Job) -> str:
        """The content of the file; raises JobError for a job that the engine cannot run."""

    def client(self, job: Job, path: Path) -> list[str]:
        """The command that hands the file to the engine; its first word is the program."""
