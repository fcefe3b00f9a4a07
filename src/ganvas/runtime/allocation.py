"""Keep freed memory in the process while a large image is stylized.

On Linux the C library returns large blocks to the system as soon as they are freed, and the system
clears them again, page by page, at their next use. The activations of a large image take hundreds
of megabytes in every iteration: this cost a third of the time (benchmarks/NOTES.md).
"""

import ctypes
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

TRIM_THRESHOLD, MMAP_MAX = -1, -4  # options of mallopt(3)
KEEP_ALL = {TRIM_THRESHOLD: 2**31 - 1, MMAP_MAX: 0}
USUAL = {TRIM_THRESHOLD: 128 * 1024, MMAP_MAX: 65536}


@contextmanager
def memory_kept() -> Iterator[None]:
    """Keep freed memory while the block runs, and return it afterwards; only on Linux."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is None or not hasattr(library, "mallopt") or not hasattr(library, "malloc_trim"):
        yield
        return
    _set(library, KEEP_ALL)
    try:
        yield
    finally:
        _set(library, USUAL)
        library.malloc_trim(0)


def _set(library: ctypes.CDLL, options: Mapping[int, int]) -> None:
    for option, value in options.items():
        library.mallopt(option, value)
