"""Start processes of one run, as torchrun would, and wait for them."""

import os
import socket
import subprocess
import time
from collections.abc import Callable

from forking import Forked, Forking

_started: list[Forked] = []


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(
    forking: Forking, count: int, *arguments: str, port: int | None = None, **environment: str
) -> list[Forked]:
    """`count` processes of `python ARGUMENTS`, which find each other."""
    shared = {"WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1"}
    shared |= {"MASTER_PORT": str(port or free_port())} | environment
    started = [
        forking.start(
            *arguments,
            environment=os.environ | {"RANK": str(rank), "LOCAL_RANK": str(rank)} | shared,
        )
        for rank in range(count)
    ]
    _started.extend(started)
    return started


def ended(processes: list[Forked]) -> list[tuple[int, str, str]]:
    """Exit status, output and errors of each, once all have ended."""
    return [(process.wait(), *process.said()) for process in processes]


def end_all() -> None:
    """End what a test has left behind."""
    while _started:
        _started.pop().kill()


def said(*command: str, **environment: str) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | environment,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout


def wait_for(condition: Callable[[], object], seconds: float = 240, what: str = "it") -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} does not happen"
        time.sleep(0.2)
