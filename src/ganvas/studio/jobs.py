"""Processes that the studio starts: the same command lines that people type, which survive it."""

import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ganvas.errors import GanvasError
from ganvas.runtime.atomic import make_folder
from ganvas.runtime.signals import ASKING
from ganvas.runtime.system import system_errors

LAST = 4000  # characters of what a process has said


class UnknownJobError(GanvasError, LookupError):
    """No process of this studio has this name."""


@dataclass
class Jobs:
    """The processes of one studio; their output goes to files of its folder."""

    folder: Path
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _trained: dict[str, Path | None] = field(default_factory=dict)

    def start(self, name: str, arguments: list[str], place: Path, run: Path | None = None) -> int:
        """Start a command of ganvas in a folder, in a session of its own: neither the studio's end
        nor Ctrl-C in its terminal reaches it. `run` is what it trains. Returns the number of its
        process."""
        make_folder(self.folder)
        with system_errors(self.folder), self._log(name).open("wb") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "ganvas", *arguments],
                cwd=place,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # on Windows
            )
        self._trained[name] = run
        return self._running[name].pid

    def status(self, name: str) -> int | None:
        """The exit status of a process; None while it runs. Raises UnknownJobError for a process
        that this studio has not started: it may have been another one's."""
        if name not in self._running:
            raise UnknownJobError("this studio has started no such process.")
        return self._running[name].poll()

    def runs(self, name: str) -> bool:
        """Whether a process that this studio has started under this name is alive."""
        return name in self._running and self._running[name].poll() is None

    def cancel(self, name: str) -> None:
        """Ask a process that this studio has started to end; one that has ended is left alone."""
        if self.runs(name):
            with suppress(ProcessLookupError):
                self._running[name].send_signal(ASKING)

    def trained(self) -> list[Path]:
        """The runs that living processes were started to train."""
        found = [run for name, run in self._trained.items() if self.runs(name)]
        return [run for run in found if run is not None]

    def train(self, run: Path) -> bool:
        """Whether a process that was started to train this run is alive: it may not have got so far
        that the run's own files say so."""
        return run in self.trained()

    def said(self, name: str) -> str:
        """The end of what a process has printed."""
        try:
            return self._log(name).read_text("utf-8", "replace")[-LAST:]
        except OSError:
            return ""

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"
