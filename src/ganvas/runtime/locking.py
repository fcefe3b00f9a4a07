"""One process at a time in a folder; the lock vanishes with the process, however it ends."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ganvas.errors import GanvasError
from ganvas.runtime.atomic import check_folder
from ganvas.runtime.system import system_errors

HELD = {errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK}


class BusyError(GanvasError, RuntimeError):
    """Another process is at work in the folder."""


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Hold the folder; raises BusyError at once when it is held, PlaceError if it is unwritable.

    Gives whether it is held: some file systems (NFS or Lustre without a lock service, some FUSE
    mounts) know no locks, and the folder is then used without one. It is made if need be, and taken
    away again if nothing was put into it.
    """
    made = not folder.exists()
    check_folder(folder)
    path = folder / ".lock"
    with holding(path) as held:
        if held is False:
            raise BusyError(
                f"another ganvas is at work in {folder}; wait for it, or choose another --out."
            )
        try:
            yield held is True
        finally:
            if made and [*folder.iterdir()] == [path]:
                _take_away(path)


@contextmanager
def holding(path: Path) -> Iterator[bool | None]:
    """Hold a lock, a file, while the block runs, if nobody else does: whether that is so.

    None where the file system knows no locks. Raises PlaceError where it cannot be written.
    """
    with system_errors(path):
        # Without waiting, as for the other end of a pipe that somebody has put there.
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NONBLOCK", 0), 0o666)
    try:
        yield _held(handle, path)
    finally:
        os.close(handle)


def _held(handle: int, path: Path) -> bool | None:
    """Whether this process holds the lock now; None where the file system has no locks."""
    try:
        _lock(handle)
    except OSError as fault:
        return False if fault.errno in HELD else None
    try:  # whoever held it may have taken it away since it was opened
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False


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
