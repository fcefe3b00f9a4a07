"""How much memory there is, and a budget that all who decode share."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

SHARE = 0.5  # of what is free, that decoding may take
_CGROUPS = (  # limit and use of this container: version 2, version 1
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)


def available() -> int:
    """Bytes that this process may still use: of the machine, and of its container."""
    free = int(psutil.virtual_memory().available)
    for limit, used in _CGROUPS:
        with suppress(OSError, ValueError):  # no such container, or "max"
            free = min(free, int(Path(limit).read_text()) - int(Path(used).read_text()))
    return max(0, free)


class Budget:
    """Bytes that several threads may use together; whoever finds none left waits.

    `most` is the cap; below it counts what the machine leaves at that moment.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._used = 0
        self._changed = threading.Condition()

    @contextmanager
    def reserved(self, size: int) -> Iterator[None]:
        """Hold `size` bytes while the block runs; raises MemoryError where that never fits.

        Not to be entered twice by one thread: it would wait for itself.
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
