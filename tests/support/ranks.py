"""Start processes of one run, as torchrun would, and wait for them."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable

_started: list[subprocess.Popen[str]] = []


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(
    count: int, *arguments: str, port: int | None = None, **environment: str
) -> list[subprocess.Popen[str]]:
    """`count` processes of `python ARGUMENTS`, which find each other."""
    shared = {"WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1"}
    shared |= {"MASTER_PORT": str(port or free_port())} | environment
    started = [
        subprocess.Popen(
            [sys.executable, *arguments],
            env=os.environ | shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(count)
    ]
    _started.extend(started)
    return started


def ended(processes: list[subprocess.Popen[str]]) -> list[tuple[int, str, str]]:
    """Exit status, output and errors of each, once all have ended."""
    said = [process.communicate(timeout=300) for process in processes]
    return [(p.returncode, *texts) for p, texts in zip(processes, said, strict=True)]


def end_all() -> None:
    """End what a test has left behind."""
    while _started:
        with _started.pop() as process:
            process.kill()


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
