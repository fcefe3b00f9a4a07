"""Run work in threads, in order and with bounded memory. Pillow decodes without holding the GIL."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 4  # finished results per worker that may wait to be taken
MOST_WORKERS = 8  # each may hold a whole photograph in memory


def usable_cores() -> int:
    """The number of cores that this process may use, in a container fewer than the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return min(MOST_WORKERS, len(os.sched_getaffinity(0)))
    return min(MOST_WORKERS, os.cpu_count() or 1)


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], workers: int, most: int | None = None
) -> Iterator[Result]:
    """Yield `work(item)` for every item in order, computed a few items ahead.

    `most` limits how many results may wait, for results that take much memory.
    """
    ahead = AHEAD * workers if most is None else max(1, min(most, AHEAD * workers))
    waiting: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(workers, "ganvas-data")
    try:
        for item in items:
            waiting.append(_begun(pool, work, item))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _begun(pool: ThreadPoolExecutor, work: Callable[[Item], Result], item: Item) -> Future[Result]:
    """Submit work to the pool, or do it at once if the pool takes nothing more.

    That happens when Python exits while a non-daemon thread of the user goes on.
    """
    try:
        return pool.submit(work, item)
    except RuntimeError:
        done: Future[Result] = Future()
        try:
            done.set_result(work(item))
        except Exception as fault:  # raised by `result()`, as with a pool
            done.set_exception(fault)
        return done
