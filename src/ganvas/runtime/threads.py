"""Choose the number of processor threads of a run.

Threads that share a step wait for the slowest of them. On a busy machine, one thread fewer can be
many times faster than one for every core (benchmarks/NOTES.md). The number is part of a run: sums
depend on it in their last bits, and resuming must be exact.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import fmean

import torch

from ganvas.runtime.timing import time_calls

GAIN = 1.15  # how much faster fewer threads must be: a machine may be busy for a moment only


def fastest(step: Callable[[], object], limit: float) -> int:
    """The number of threads with which `step` is fastest, measured for about `limit` seconds."""
    best = most = torch.get_num_threads()
    fewer = sorted({most - 1, most // 2, 1} - {0, most}, reverse=True)
    if not fewer:
        return most
    best_seconds = _mean_seconds(step, most, limit / 4)
    for threads in fewer:
        seconds = GAIN * _mean_seconds(step, threads, limit / 4)
        if seconds < best_seconds:
            best, best_seconds = threads, seconds
    return best


@contextmanager
def using(threads: int) -> Iterator[None]:
    """Compute with this many threads while the block runs."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _mean_seconds(step: Callable[[], object], threads: int, limit: float) -> float:
    with using(threads):
        return fmean(seconds for seconds, _ in time_calls(step, limit))
