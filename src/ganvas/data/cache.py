"""Where prepared pictures stay, so that the next run starts at once.

A cache folder holds `pictures/<key>/`, written under a temporary name and renamed when complete,
`index/`, the digests of the files that have been read, and `features/`, what a network sees in
them.
"""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, ENOSPC
from pathlib import Path

from ganvas.errors import GanvasError

PICTURES, INDEX, FEATURES = "pictures", "index", "features"
TEMPORARY = ".unfinished-"
STALE = 24 * 3600  # seconds without a change after which the owner of a temporary folder has died


class CacheError(GanvasError, OSError):
    """The cache cannot be written; the message says what to do."""


def cache_folder() -> Path:
    """$GANVAS_CACHE, else the folder where this system keeps what can be made again."""
    if chosen := os.environ.get("GANVAS_CACHE"):
        return Path(chosen).expanduser()
    return _system_folder(sys.platform, Path.home())


def clear_cache(cache: Path | None = None) -> tuple[int, int]:
    """Remove all prepared pictures; how many sets they were, and their size in bytes."""
    cache = cache or cache_folder()
    sets = sum(not path.name.startswith(TEMPORARY) for path in cache.glob(f"{PICTURES}/*/"))
    size = 0
    for folder in (cache / PICTURES, cache / INDEX, cache / FEATURES):
        size += sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        shutil.rmtree(folder, ignore_errors=True)
    return sets, size


def sweep(cache: Path) -> None:
    """Remove what preparations left that were killed long ago."""
    for folder in cache.glob(f"{PICTURES}/{TEMPORARY}*"):
        changes = [path.stat().st_mtime for path in (folder, *folder.glob("*")) if path.exists()]
        if changes and time.time() - max(changes) > STALE:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def explained(cache: Path) -> Iterator[None]:
    """Turns the system's errors about the cache into a CacheError that says what to do."""
    try:
        yield
    except OSError as error:
        full = error.errno in (ENOSPC, EDQUOT)
        problem = "the disk is full" if full else f"it cannot be written ({error.strerror})"
        remedy = "free some space, or set GANVAS_CACHE to a folder elsewhere"
        raise CacheError(f"no room for pictures in {cache}: {problem}; {remedy}") from error


def _system_folder(platform: str, home: Path) -> Path:
    if platform == "darwin":
        return home / "Library" / "Caches" / "ganvas"
    if platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home) / "ganvas" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "ganvas"
