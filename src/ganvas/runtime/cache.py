"""The cache folder of this machine, for data that can be made again."""

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, ENOENT, ENOSPC
from pathlib import Path

from ganvas.errors import GanvasError
from ganvas.runtime.names import expand


class CacheError(GanvasError, OSError):
    """The cache cannot be written; the message says what to do."""


def cache_folder() -> Path:
    """$GANVAS_CACHE, else the system's cache folder.

    A user without a home, as in some containers, gets a temporary folder. Raises PlaceError for an
    unknown home folder, CacheError if the temporary folder belongs to another user.
    """
    if chosen := os.environ.get("GANVAS_CACHE"):
        return expand(chosen)
    return _system_folder(sys.platform, _home()) or _temporary_folder()


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:  # neither HOME nor an entry in passwd
        return None


def _system_folder(platform: str, home: Path | None) -> Path | None:
    """The system's cache folder; None if it would lie in a home that does not exist."""
    if platform == "darwin":
        return home and home / "Library" / "Caches" / "ganvas"
    if platform == "win32":
        above = Path(local) if (local := os.environ.get("LOCALAPPDATA")) else home
        return above and above / "ganvas" / "cache"
    above = Path(xdg) if (xdg := os.environ.get("XDG_CACHE_HOME")) else home and home / ".cache"
    return above and above / "ganvas"


def _temporary_folder() -> Path:
    """This user's own folder in the system's temporary folder, which all users can write to."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"ganvas-{user}"
    with explained(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    mine = stat.S_ISDIR(found.st_mode) and found.st_uid == user and not found.st_mode & 0o077
    if not mine and os.name != "nt":  # else another user could put images into it
        raise CacheError(
            f"{folder} is not a folder of this user alone; set GANVAS_CACHE to a folder elsewhere"
        )
    return folder


@contextmanager
def explained(cache: Path) -> Iterator[None]:
    """Turn system errors about the cache into a CacheError that says what to do."""
    try:
        yield
    except CacheError:
        raise
    except OSError as error:
        # Errors that `atomic` has converted already carry the original as their cause.
        cause = error.__cause__ if isinstance(error, GanvasError) else error
        fault = cause if isinstance(cause, OSError) else error
        if fault.errno in (ENOSPC, EDQUOT):
            problem = "the disk is full; free some space, or"
        elif fault.errno == ENOENT:
            problem = "somebody has cleared it meanwhile; try again, or"
        else:
            problem = f"it cannot be written ({fault.strerror or fault});"
        raise CacheError(
            f"no room for images in {cache}: {problem} set GANVAS_CACHE to a folder elsewhere"
        ) from error
