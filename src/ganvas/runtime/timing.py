"""Time calls on this machine, within a time limit."""

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

WARM_UP, TIMED = 2, 4  # rounds: the first ones allocate memory and choose kernels


def time_calls(call: Callable[[], Result], limit: float) -> list[tuple[float, Result]]:
    """Seconds and result of each of several calls, without the warm-up calls.

    Calls stop after about `limit` seconds in all; if there are too few, only the last one is
    returned.
    """
    began, found = time.monotonic(), list[tuple[float, Result]]()
    while not found or (len(found) < WARM_UP + TIMED and time.monotonic() - began < limit):
        before = time.perf_counter()
        result = call()
        found.append((time.perf_counter() - before, result))
    return found[WARM_UP:] or found[-1:]
