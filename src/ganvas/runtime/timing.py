"""How long a step takes on this machine, tried within a limit."""

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

WARM_UP, TIMED = 2, 4  # rounds: the first ones allocate memory and choose kernels


def time_calls(call: Callable[[], Result], limit: float) -> list[tuple[float, Result]]:
    """Seconds and result of each of several calls, the first ones left out.

    Calls stop after about `limit` seconds in all; of too few the last one counts alone.
    """
    began, found = time.monotonic(), list[tuple[float, Result]]()
    while not found or (len(found) < WARM_UP + TIMED and time.monotonic() - began < limit):
        before = time.perf_counter()
        result = call()
        found.append((time.perf_counter() - before, result))
    return found[WARM_UP:] or found[-1:]
