"""Write files so that each is there whole or not at all.

What is written goes under a temporary name in the same folder, is flushed to the disk, and takes
the place of what was there. Every error of the system is raised as PlaceError, about the place that
was meant.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ganvas.runtime.system import PlaceError, system_errors


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name that becomes `path` at the end, and vanishes when something goes wrong.

    Raises PlaceError.
    """
    # Not made of the name: one that is as long as names can be has no room for more.
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
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

    To be asked before long work whose result goes there.
    """
    make_folder(path)
    _probe(path, path)


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
    probe = folder / f".{secrets.token_hex(8)}.tmp"
    with system_errors(meant):
        try:
            probe.touch()
        finally:
            probe.unlink(missing_ok=True)


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
    finally:
        os.close(handle)
