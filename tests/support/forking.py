"""Programs in processes of their own that begin with torch and ganvas imported.

An interpreter imports both once, and forks for each program: that takes milliseconds, where a new
interpreter takes seconds. The program is the rest of its `__main__`, so that it ends as any other.
"""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

SERVER = """
import json, os, runpy, sys
import torch._dynamo  # as the first optimiser does
import matplotlib.figure
import ganvas.cli.train, ganvas.runs.train, ganvas.training.callbacks.curves
for order in map(json.loads, sys.stdin):
    if "ended" in order:
        pid, status = os.waitpid(order["ended"], os.WNOHANG)
        print(json.dumps(os.waitstatus_to_exitcode(status) if pid else None), flush=True)
    elif child := os.fork():
        print(child, flush=True)
    else:
        break
else:
    sys.exit()
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
for number in (1, 2):
    os.dup2(os.open(order["streams"][number - 1], os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
os.chdir(order["folder"])
os.environ.clear()
os.environ.update(order["environment"])
first, *rest = order["arguments"]
sys.argv = [first, *rest[first in ("-c", "-m"):]]
if first == "-c":
    exec(rest[0])
elif first == "-m":
    runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
else:
    runpy.run_path(first, run_name="__main__")
"""


@dataclass(frozen=True)
class Ended:
    """How a program ended, as subprocess.CompletedProcess has it."""

    returncode: int
    stdout: str
    stderr: str


class Forked:
    """A program that runs, with what subprocess.Popen has."""

    def __init__(self, server: "Forking", pid: int, streams: list[Path]) -> None:
        self._server, self.pid, self._streams = server, pid, streams
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its status, or None while it runs."""
        if self.returncode is None:
            self.returncode = self._server.ask({"ended": self.pid})
        return self.returncode

    def wait(self, timeout: float = 300) -> int:
        """Its status, once it has ended."""
        end = time.monotonic() + timeout
        while (status := self.poll()) is None:
            assert time.monotonic() < end, f"it goes on: {self.said()}"
            time.sleep(0.02)
        return status

    def said(self) -> tuple[str, str]:
        """What it has printed so far: output and errors."""
        output, errors = (path.read_text(errors="replace") for path in self._streams)
        return output, errors

    def communicate(self, timeout: float = 300) -> tuple[str, str]:
        """What it has printed, once it has ended."""
        self.wait(timeout)
        return self.said()

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class Forking:
    """Runs programs; a context that ends its interpreter."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._started = folder, 0
        self._server = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.communicate()

    def ask(self, order: dict[str, object]) -> int | None:
        """What the interpreter answers."""
        print(json.dumps(order), file=self._server.stdin, flush=True)
        answer = json.loads(self._server.stdout.readline())
        assert answer is None or isinstance(answer, int)
        return answer

    def start(
        self,
        *arguments: str,
        folder: Path | None = None,
        environment: dict[str, str] | None = None,
        output: Path | None = None,
    ) -> Forked:
        """Start `python ARGUMENTS`: `-c PROGRAM`, `-m MODULE` or a script, and what it is given.

        All that it prints goes to `output`, if one is named.
        """
        self._started += 1
        names = ("stdout", "stderr")
        streams = [output or self.folder / f"{self._started}.{name}" for name in names]
        for path in streams:
            path.touch()
        pid = self.ask(
            {
                "arguments": arguments,
                "streams": [str(path) for path in streams],
                "folder": str(folder or Path.cwd()),
                "environment": dict(os.environ if environment is None else environment),
            }
        )
        return Forked(self, pid, streams)

    def run(self, *arguments: str, folder: Path | None = None) -> Ended:
        """Run `python ARGUMENTS` to its end, however it ends."""
        program = self.start(*arguments, folder=folder)
        return Ended(program.wait(), *program.said())
