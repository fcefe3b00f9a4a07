"""Write files atomically: each is complete or not there at all.

A file is written under a temporary name in the same folder, flushed to the disk, and renamed. Every
system error is raised as PlaceError, which names the final path.
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
STALE = 24 * 3600  # seconds: no file takes that long to write
_TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.tmp")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file that is renamed to `path` at the end, and removed after an error.

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
    """Write a file atomically; raises PlaceError."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_passing(path: Path, text: str) -> None:
    """Write a UTF-8 file that is soon written again: readers see it whole, but it is not flushed to
    the disk; raises PlaceError."""
    temporary = _temporary(path.parent)
    with system_errors(path):
        try:
            temporary.write_text(text, "utf-8")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file atomically; raises PlaceError."""
    write_bytes(path, text.encode("utf-8"))


def make_folder(path: Path) -> None:
    """Make a folder and its parents if they are missing; raises PlaceError."""
    with system_errors(path):
        path.mkdir(parents=True, exist_ok=True)


def check_folder(path: Path) -> None:
    """Make a folder if it is missing, and raise PlaceError if nothing can be written into it.

    Call it before long work whose result goes there. On failure, new folders are removed again.
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

    Its folder must exist: a mistyped one is not made.
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
    """Remove temporary files older than `seconds` that killed processes left in a folder.

    0 removes files of any age; use it only if no other process writes there.
    """
    with suppress(OSError):  # tidying up is optional
        for path in [*folder.iterdir()] if folder.is_dir() else []:
            if _TEMPORARY.fullmatch(path.name) and time.time() - path.stat().st_mtime >= seconds:
                path.unlink()


def _temporary(folder: Path) -> Path:
    # Not derived from the name, which may have the maximum length already.
    return folder / f".{secrets.token_hex(8)}.tmp"


def flush(path: Path) -> None:
    """Flush a file's contents to the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk."""
    if os.name == "nt":
        return  # Windows has no handle for a folder; its renames are journalled
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as fault:
        if fault.errno not in _UNKNOWN_TO_SOME:  # some network and FUSE file systems lack it
            raise
    finally:
        os.close(handle)
