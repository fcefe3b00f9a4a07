"""Close long jobs that nobody has closed when Python ends.

A generator that still has a name when the interpreter ends is closed while modules are taken apart:
torch then aborts, and nothing is saved. Handlers of `atexit` run before that.
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

PATIENCE = 60.0  # seconds in which a job that another thread is in may come to an end

# Jobs, and the process that opened each: a fork inherits them, and has no part in them.
_open: "weakref.WeakKeyDictionary[Generator[Any, None, Any], int]" = weakref.WeakKeyDictionary()
_registered = threading.Event()
ending = threading.Event()
"""Set when Python ends: a job that a thread iterates over is asked to come to its end."""


def closed_at_exit(
    job: Callable[Parameters, Generator[Item, None, Result]],
) -> Callable[Parameters, Generator[Item, None, Result]]:
    """A generator function whose generators are closed before Python ends, wherever they stand."""

    @wraps(job)
    def started(
        *arguments: Parameters.args, **named: Parameters.kwargs
    ) -> Generator[Item, None, Result]:
        if not _registered.is_set():
            _registered.set()
            atexit.register(_close_all)  # after torch's own handlers, and so before them
        generator = job(*arguments, **named)
        _open[generator] = os.getpid()
        return generator

    return started


def _close_all() -> None:
    ending.set()
    for generator in [job for job, owner in _open.items() if owner == os.getpid()]:
        if getgeneratorstate(generator) == GEN_RUNNING:
            _wait_for(generator)
        with suppress(ValueError):  # still running, in a thread that Python does not wait for
            generator.close()


def _wait_for(generator: Generator[Any, None, Any]) -> None:
    waited, pause = 0.0, threading.Event()
    while getgeneratorstate(generator) != GEN_CLOSED and waited < PATIENCE:
        pause.wait(0.05)
        waited += 0.05
