"""Where prepared pictures stay, so that the next run starts at once.

A cache folder holds `pictures/<key>/`, written under a temporary name and renamed when complete,
`index/`, the digests of the files that have been read, and `features/`, what a network sees in
them.
"""

import os
import secrets
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EDQUOT, ENOENT, ENOSPC
from pathlib import Path

from ganvas.errors import GanvasError
from ganvas.runtime.locking import holding
from ganvas.runtime.names import expanded

PICTURES, INDEX, FEATURES = "pictures", "index", "features"
TEMPORARY, LOCK = ".unfinished-", ".lock"
STALE = 24 * 3600  # seconds without a change after which the owner of a temporary folder has died


class CacheError(GanvasError, OSError):
    """The cache cannot be written; the message says what to do."""


def cache_folder() -> Path:
    """$GANVAS_CACHE, else the folder where this system keeps what can be made again.

    A user without a home, as in some containers, gets a folder among the temporary ones. Raises
    PlaceError for a home folder that nobody has, CacheError where somebody else has that folder.
    """
    if chosen := os.environ.get("GANVAS_CACHE"):
        return expanded(chosen)
    return _system_folder(sys.platform, _home()) or _temporary_folder()


def clear_cache(cache: Path | None = None) -> tuple[int, int]:
    """Remove all prepared pictures; how many sets they were, and their size in bytes."""
    cache = cache or cache_folder()
    sets = sum(not path.name.startswith(TEMPORARY) for path in cache.glob(f"{PICTURES}/*/"))
    size = 0
    for folder in (cache / PICTURES, cache / INDEX, cache / FEATURES):
        for path in folder.rglob("*"):
            with suppress(OSError):  # another process has removed it
                status = path.lstat()
                size += status.st_size if stat.S_ISREG(status.st_mode) else 0
        shutil.rmtree(folder, ignore_errors=True)
    return sets, size


@contextmanager
def owned(cache: Path) -> Iterator[Path]:
    """A place for what is being prepared, which `sweep` leaves alone until this process ends."""
    lock = cache / PICTURES / f"{TEMPORARY}{secrets.token_hex(8)}{LOCK}"
    with explained(cache):
        lock.parent.mkdir(parents=True, exist_ok=True)
    with holding(lock):
        try:
            yield lock.with_suffix("")
        finally:
            with suppress(OSError):  # Windows keeps what is open
                lock.unlink()


def sweep(cache: Path) -> None:
    """Remove what preparations left that were killed: at once where a lock tells that their process
    has ended, otherwise after a day."""
    for lock in cache.glob(f"{PICTURES}/{TEMPORARY}*{LOCK}"):
        with suppress(OSError), holding(lock) as held:
            if held or (held is None and _is_stale(lock.with_suffix(""))):
                shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
                lock.unlink()
    for folder in cache.glob(f"{PICTURES}/{TEMPORARY}*/"):
        if not folder.with_suffix(LOCK).exists() and _is_stale(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_stale(folder: Path) -> bool:
    """Whether nothing in a folder has changed for a day; of one that is gone too."""
    try:
        changed = max(path.stat().st_mtime for path in (folder, *folder.glob("*")))
    except OSError:  # whoever it belongs to has removed it
        return True
    return time.time() - changed > STALE


@contextmanager
def explained(cache: Path) -> Iterator[None]:
    """Turns the system's errors about the cache into a CacheError that says what to do."""
    try:
        yield
    except CacheError:
        raise
    except OSError as error:
        # What `atomic` has put into words already still knows the system's own.
        cause = error.__cause__ if isinstance(error, GanvasError) else error
        fault = cause if isinstance(cause, OSError) else error
        if fault.errno in (ENOSPC, EDQUOT):
            problem = "the disk is full; free some space, or"
        elif fault.errno == ENOENT:
            problem = "somebody has cleared it meanwhile; try again, or"
        else:
            problem = f"it cannot be written ({fault.strerror or fault});"
        raise CacheError(
            f"no room for pictures in {cache}: {problem} set GANVAS_CACHE to a folder elsewhere"
        ) from error


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:  # neither HOME nor an entry in passwd
        return None


def _system_folder(platform: str, home: Path | None) -> Path | None:
    """Where this system keeps caches; None where that is in a home that there is not."""
    if platform == "darwin":
        return home and home / "Library" / "Caches" / "ganvas"
    if platform == "win32":
        above = Path(local) if (local := os.environ.get("LOCALAPPDATA")) else home
        return above and above / "ganvas" / "cache"
    above = Path(xdg) if (xdg := os.environ.get("XDG_CACHE_HOME")) else home and home / ".cache"
    return above and above / "ganvas"


def _temporary_folder() -> Path:
    """This user's own folder among the temporary ones, which everybody may write to."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"ganvas-{user}"
    with explained(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    mine = stat.S_ISDIR(found.st_mode) and found.st_uid == user and not found.st_mode & 0o077
    if not mine and os.name != "nt":  # or another user could put pictures into it
        raise CacheError(
            f"{folder} is not a folder of this user alone; set GANVAS_CACHE to a folder elsewhere"
        )
    return folder
