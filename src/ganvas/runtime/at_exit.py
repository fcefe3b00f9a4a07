"""Close long jobs that are still open when Python exits.

A generator that is still referenced at exit is closed while modules are torn down: torch then
aborts, and nothing is saved. Handlers of `atexit` run before that.
"""

import atexit
import os
import threading
import weakref
from collections.abc import Callable, Generator
from contextlib import suppress
from functools import wraps
from inspect import GEN_CLOSED, GEN_RUNNING, getgeneratorstate
from typing import Any, ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Item = TypeVar("Item")

PATIENCE = 60.0  # seconds to wait for a job that another thread is running

# Jobs, and the process that opened each: a fork inherits them, but must not close them.
_open: "weakref.WeakKeyDictionary[Generator[Any, None, Any], int]" = weakref.WeakKeyDictionary()
_registered = threading.Event()
ending = threading.Event()
"""Set when Python exits: a job that a thread is running should finish."""


def closed_at_exit(
    job: Callable[Parameters, Generator[Item, None, Result]],
) -> Callable[Parameters, Generator[Item, None, Result]]:
    """Make a generator function's generators close before Python exits, in any state."""

    @wraps(job)
    def started(
        *arguments: Parameters.args, **named: Parameters.kwargs
    ) -> Generator[Item, None, Result]:
        if not _registered.is_set():
            _registered.set()
            atexit.register(_close_all)  # registered after torch's handlers, so it runs before them
        generator = job(*arguments, **named)
        _open[generator] = os.getpid()
        return generator

    return started


def _close_all() -> None:
    ending.set()
    for generator in [job for job, owner in _open.items() if owner == os.getpid()]:
        if getgeneratorstate(generator) == GEN_RUNNING:
            _wait_for(generator)
        with suppress(ValueError):  # still running, in a daemon thread
            generator.close()


def _wait_for(generator: Generator[Any, None, Any]) -> None:
    waited, pause = 0.0, threading.Event()
    while getgeneratorstate(generator) != GEN_CLOSED and waited < PATIENCE:
        pause.wait(0.05)
        waited += 0.05
