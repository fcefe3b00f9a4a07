"""The boundary at which system errors become messages for users.

Everything that reads or writes may raise OSError, which is not converted on the way. The command
line and the public API run their work inside `system_errors`. So do the functions of `atomic`,
which know the final path when the system names a temporary one.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ganvas.errors import GanvasError

SHOWN = 150  # characters of a path that a message repeats, from its start and from its end
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REASONS = {
    errno.EACCES: "permission is denied; choose another place, or change the permissions",
    errno.EPERM: "that is not permitted there; choose another place",
    errno.EROFS: "the file system is read-only; choose another place",
    errno.ENOTDIR: "a file is in the way where a folder should be; choose another place",
    errno.EEXIST: "a file is in the way where a folder should be; choose another place",
    errno.EISDIR: "it is a folder; name a file",
    errno.ENOENT: "there is no such file or folder",
    errno.ENAMETOOLONG: "its name is too long for the file system; choose a shorter one",
    errno.ELOOP: "its links are circular",
    errno.EIO: "the disk reports an error; save what you can from it",
    errno.EMFILE: "too many files are open; raise the limit (ulimit -n)",
    errno.ENFILE: "too many files are open on this machine",
    errno.ENOMEM: "there is not enough memory",
}


class PlaceError(GanvasError, OSError):
    """A file or folder that cannot be used; the message says which, why, and what to do."""


@contextmanager
def system_errors(place: Path | None = None) -> Iterator[None]:
    """Raise system errors as PlaceError, about `place` if it is given.

    This includes the ValueError for a path with a NUL character.
    """
    try:
        yield
    except GanvasError:
        raise
    except OSError as fault:
        raise PlaceError(sentence(fault, place)) from fault
    except ValueError as fault:
        if "null" not in str(fault) or place is None:
            raise
        raise PlaceError(f"{str(place)!r} holds a NUL character: it is no valid path.") from fault


def check_regular(path: Path) -> None:
    """Raise OSError for a pipe or a device, which may never end, or if the path does not exist."""
    kind = path.stat().st_mode
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        raise OSError(errno.EINVAL, "it is a pipe, a socket or a device, not a file", str(path))


def read_regular(path: Path) -> bytes:
    """The bytes of a file; raises OSError as `check_regular` does."""
    check_regular(path)
    return path.read_bytes()


def sentence(fault: OSError, place: Path | None = None) -> str:
    """What went wrong, where, and what to do."""
    named = fault.filename if isinstance(fault.filename, str | bytes | Path) else None
    where = place or (os.fsdecode(named) if named else None)
    return (
        f"{_shorten(str(where))} cannot be used: {reason(fault)}." if where else f"{reason(fault)}."
    )


def _shorten(where: str) -> str:
    """A path, without its middle if it is too long for a message."""
    return where if len(where) <= 2 * SHOWN else f"{where[:SHOWN]}…{where[-SHOWN:]}"


def reason(fault: OSError) -> str:
    """Why it went wrong, and what to do, without the path."""
    if fault.errno in FULL:
        return "the disk is full, or a limit on its use is reached; free some space and try again"
    known = _REASONS.get(fault.errno or 0)
    return known or fault.strerror or str(fault) or type(fault).__name__
