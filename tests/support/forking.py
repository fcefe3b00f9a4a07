"""Programs in processes of their own that begin with torch and ganvas imported.

An interpreter imports both once, and forks for each program: that takes milliseconds, where a new
interpreter takes seconds. The program is the rest of its `__main__`, so that it ends as any other.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

SERVER = """
import json, os, sys
import torch._dynamo  # as the first optimiser does
import matplotlib.pyplot
import ganvas.cli, ganvas.runs.session, ganvas.training.callbacks.curves
for order in map(json.loads, sys.stdin):
    child = os.fork()
    if not child:
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    sys.exit()
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
for number in (1, 2):
    os.dup2(os.open(order["streams"][number - 1], os.O_WRONLY | os.O_CREAT), number)
exec(order["program"])
"""


@dataclass(frozen=True)
class Ended:
    """How a program ended, as subprocess.CompletedProcess has it."""

    returncode: int
    stdout: bytes
    stderr: bytes


class Forking:
    """Runs programs; a context that ends its interpreter."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
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

    def run(self, program: str) -> Ended:
        """Run a program to its end, however it ends."""
        streams = [self.folder / name for name in ("stdout", "stderr")]
        for path in streams:
            path.unlink(missing_ok=True)
        order = {"program": program, "streams": [str(path) for path in streams]}
        print(json.dumps(order), file=self._server.stdin, flush=True)
        status = int(self._server.stdout.readline())
        return Ended(status, *(path.read_bytes() for path in streams))
