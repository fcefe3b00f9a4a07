"""The cache folder for prepared images, from which the next run starts at once.

It holds `images/<key>/`, written under a temporary name and renamed when complete, `index/` with
the digests of the files that have been read, and `features/` with a network's features of them.
"""

import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ganvas.runtime.cache import cache_folder, explained
from ganvas.runtime.locking import holding

IMAGES, INDEX, FEATURES = "images", "index", "features"
OLD = "pictures"  # the name of IMAGES in older versions
TEMPORARY, LOCK = ".unfinished-", ".lock"
STALE = 24 * 3600  # seconds without a change after which a temporary folder counts as abandoned


def clear_cache(cache: Path | None = None) -> tuple[int, int]:
    """Remove all prepared images; return the number of sets and their size in bytes."""
    cache = cache or cache_folder()
    sets = sum(not path.name.startswith(TEMPORARY) for path in cache.glob(f"{IMAGES}/*/"))
    size = 0
    for folder in (cache / IMAGES, cache / INDEX, cache / FEATURES, cache / OLD):
        for path in folder.rglob("*"):
            with suppress(OSError):  # another process has removed it
                status = path.lstat()
                size += status.st_size if stat.S_ISREG(status.st_mode) else 0
        shutil.rmtree(folder, ignore_errors=True)
    return sets, size


@contextmanager
def owned(cache: Path) -> Iterator[Path]:
    """A temporary path for a set in preparation, which `sweep` keeps until this process ends."""
    lock = cache / IMAGES / f"{TEMPORARY}{secrets.token_hex(8)}{LOCK}"
    with explained(cache):
        lock.parent.mkdir(parents=True, exist_ok=True)
    with holding(lock):
        try:
            yield lock.with_suffix("")
        finally:
            with suppress(OSError):  # Windows does not remove open files
                lock.unlink()


def sweep(cache: Path) -> None:
    """Remove what killed preparations left behind.

    At once if a lock shows that their process has ended, otherwise after a day.
    """
    for lock in cache.glob(f"{IMAGES}/{TEMPORARY}*{LOCK}"):
        with suppress(OSError), holding(lock) as held:
            if held or (held is None and _is_stale(lock.with_suffix(""))):
                shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
                lock.unlink()
    for folder in cache.glob(f"{IMAGES}/{TEMPORARY}*/"):
        if not folder.with_suffix(LOCK).exists() and _is_stale(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_stale(folder: Path) -> bool:
    """Whether nothing in a folder has changed for a day, or the folder is gone."""
    try:
        changed = max(path.stat().st_mtime for path in (folder, *folder.glob("*")))
    except OSError:  # its owner has removed it
        return True
    return time.time() - changed > STALE
