"""One process at a time in a folder; the lock vanishes with the process, however it ends."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ganvas.errors import GanvasError


class BusyError(GanvasError, RuntimeError):
    """Another process is at work in the folder."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder; raises BusyError at once when it is held.

    It is made if need be, and taken away again if nothing was put into it.
    """
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ".lock"
    with path.open("a") as file:
        try:
            _lock(file.fileno())
            # Whoever held it may have taken it away since it was opened.
            held = os.path.samestat(os.fstat(file.fileno()), path.stat())
        except OSError:
            held = False
        if not held:
            raise BusyError(
                f"another ganvas is at work in {folder}; wait for it, or choose another --out."
            )
        try:
            yield
        finally:
            if made and [*folder.iterdir()] == [path]:
                _take_away(path)


def _take_away(path: Path) -> None:
    with suppress(OSError):  # Windows keeps what is open
        path.unlink()
        path.parent.rmdir()


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
