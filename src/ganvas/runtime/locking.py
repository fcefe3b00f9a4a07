"""Lock a folder for one process; the lock ends with the process, however it ends."""

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ganvas.errors import GanvasError
from ganvas.runtime.atomic import check_folder
from ganvas.runtime.system import system_errors

NAME = ".lock"
PATIENCE, PAUSE = 1.0, 0.05  # seconds that a lock may be held by somebody who only looks
HELD = {errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK}


class BusyError(GanvasError, RuntimeError):
    """Another process holds the folder's lock."""


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Lock a folder; raises BusyError at once if it is locked, PlaceError if it is unwritable.

    Yields whether it is locked: some file systems (NFS or Lustre without a lock service, some FUSE
    mounts) have no locks, and the folder is then used without one. It is made if necessary, and
    removed again if it stays empty.
    """
    made = not folder.exists()
    check_folder(folder)
    path = folder / NAME
    with holding(path, PATIENCE) as held:
        if held is False:
            raise BusyError(
                f"another ganvas is at work in {folder}; wait for it, or choose another --out."
            )
        with suppress(OSError):
            os.utime(path)  # since when it is held: see `locked_since`
        try:
            yield held is True
        finally:
            if made and [*folder.iterdir()] == [path]:
                _take_away(path)


def locked_since(folder: Path) -> float | None:
    """When the lock of a folder was taken last, in seconds since 1970; None where it never was."""
    with suppress(OSError):
        return (folder / NAME).stat().st_mtime
    return None


def is_locked(folder: Path) -> bool | None:
    """Whether a process has locked a folder; None if that cannot be said.

    Holds the lock for a moment to find out, which `locked` waits for.
    """
    try:
        handle = os.open(folder / NAME, os.O_RDWR | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        _lock(handle)
    except OSError as fault:
        return True if fault.errno in HELD else None
    finally:
        os.close(handle)
    return False


@contextmanager
def holding(path: Path, patience: float = 0.0) -> Iterator[bool | None]:
    """Hold a lock file while the block runs; yields False if another process holds it for longer
    than `patience` seconds.

    Yields None if the file system has no locks. Raises PlaceError if the file cannot be written.
    """
    with system_errors(path):
        # Non-blocking: opening a pipe at this path would wait for its other end.
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NONBLOCK", 0), 0o666)
    try:
        yield _held(handle, path, time.monotonic() + patience)
    finally:
        os.close(handle)


def _held(handle: int, path: Path, until: float) -> bool | None:
    """Whether this process holds the lock now; None where the file system has no locks."""
    while True:
        try:
            _lock(handle)
            break
        except OSError as fault:
            if fault.errno not in HELD:
                return None
        if time.monotonic() >= until:
            return False
        time.sleep(PAUSE)
    try:  # its previous holder may have removed it since it was opened
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False


def _take_away(path: Path) -> None:
    with suppress(OSError):  # Windows does not remove open files
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
