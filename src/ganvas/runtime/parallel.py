"""Work on threads with a bounded memory. Pillow decodes outside Python's lock."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 4  # results that each worker may have ready before the first one is taken
MOST_WORKERS = 8  # each may hold a whole photograph in memory


def usable_cores() -> int:
    """The cores that this process may use, which in a container are fewer than the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return min(MOST_WORKERS, len(os.sched_getaffinity(0)))
    return min(MOST_WORKERS, os.cpu_count() or 1)


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], workers: int, most: int | None = None
) -> Iterator[Result]:
    """`work(item)` of every item in their order, computed a few items ahead.

    `most` is how many results may wait, where each takes much memory.
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
    """Work for another thread, or done at once: when Python ends, no pool takes anything more.

    A thread of the user's that is not a daemon goes on then.
    """
    try:
        return pool.submit(work, item)
    except RuntimeError:
        done: Future[Result] = Future()
        try:
            done.set_result(work(item))
        except Exception as fault:  # raised where the result is asked for, as a pool does
            done.set_exception(fault)
        return done
