"""The free memory, and a memory budget that several threads share."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

SHARE = 0.5  # share of the free memory that decoding may take
_CGROUPS = (  # limit and use of this container: cgroup version 2, version 1
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)


def available() -> int:
    """Bytes that this process may still use, within the machine's and its container's limits."""
    free = int(psutil.virtual_memory().available)
    for limit, used in _CGROUPS:
        with suppress(OSError, ValueError):  # no such container, or "max"
            free = min(free, int(Path(limit).read_text()) - int(Path(used).read_text()))
    return max(0, free)


class Budget:
    """Bytes that several threads may use together; threads wait until enough is available.

    `most` is the upper limit; below it, the currently free memory decides.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._used = 0
        self._changed = threading.Condition()

    @contextmanager
    def reserved(self, size: int) -> Iterator[None]:
        """Reserve `size` bytes while the block runs; raises MemoryError if they can never fit.

        A thread must not enter it twice: it would wait for itself.
        """
        with self._changed:
            if size > self._most:
                raise MemoryError
            self._changed.wait_for(lambda: not self._used or self._fits(size))
            if not self._fits(size):
                raise MemoryError
            self._used += size
        try:
            yield
        finally:
            with self._changed:
                self._used -= size
                self._changed.notify_all()

    def _fits(self, size: int) -> bool:
        return self._used + size <= self._most and size <= SHARE * available()
