"""Write files so that each is there whole or not at all.

What is written goes under a temporary name in the same folder, is flushed to the disk, and takes
the place of what was there. Every error of the system is raised as PlaceError, about the place that
was meant.
"""

import errno
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ganvas.runtime.system import PlaceError, system_errors

_UNKNOWN_TO_SOME = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS}
STALE = 24 * 3600  # seconds: nobody writes a file for that long
_TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.tmp")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name that becomes `path` at the end, and vanishes when something goes wrong.

    Raises PlaceError.
    """
    temporary = _temporary(path.parent)
    with system_errors(path):
        try:
            yield temporary
            flush(temporary)
            temporary.replace(path)
            flush_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file, all of it or nothing; raises PlaceError."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file, all of it or nothing; raises PlaceError."""
    write_bytes(path, text.encode("utf-8"))


def make_folder(path: Path) -> None:
    """Make a folder and those above it, where they are missing; raises PlaceError."""
    with system_errors(path):
        path.mkdir(parents=True, exist_ok=True)


def check_folder(path: Path) -> None:
    """Make a folder where it is missing, and raise PlaceError if nothing can be written into it.

    To be asked before long work whose result goes there. A folder that was made for nothing is
    removed again.
    """
    missing = [folder for folder in (path, *path.parents) if not os.path.lexists(folder)]
    try:
        make_folder(path)
        _probe(path, path)
    except PlaceError:
        for folder in missing:
            with suppress(OSError, ValueError):
                folder.rmdir()
        raise


def check_file(path: Path) -> None:
    """Raise PlaceError, before long work, if no file can be written at `path`.

    The folder has to be there: a mistyped one is not made.
    """
    with system_errors(path):
        if path.is_dir():
            raise PlaceError(f"{path} is a folder; name a file in it.")
        if not path.parent.is_dir():
            raise PlaceError(f"{path} cannot be written: there is no folder {path.parent}.")
    _probe(path.parent, path)


def _probe(folder: Path, meant: Path) -> None:
    probe = _temporary(folder)
    with system_errors(meant):
        try:
            probe.touch()
        finally:
            probe.unlink(missing_ok=True)


def sweep(folder: Path, seconds: float = STALE) -> None:
    """Remove what was left in a folder by processes that were killed, if it is older than this.

    Only where nobody else writes may it be of any age: then 0 is right.
    """
    with suppress(OSError):  # it is only tidier
        for path in [*folder.iterdir()] if folder.is_dir() else []:
            if _TEMPORARY.fullmatch(path.name) and time.time() - path.stat().st_mtime >= seconds:
                path.unlink()


def _temporary(folder: Path) -> Path:
    # Not made of the name: one that is as long as names can be has no room for more.
    return folder / f".{secrets.token_hex(8)}.tmp"


def flush(path: Path) -> None:
    """Have the disk hold what was written to a file."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Have the disk hold the names in a folder."""
    if os.name == "nt":
        return  # Windows has no handle for a folder; its renames are journalled
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as fault:
        if fault.errno not in _UNKNOWN_TO_SOME:  # of network and FUSE file systems
            raise
    finally:
        os.close(handle)
