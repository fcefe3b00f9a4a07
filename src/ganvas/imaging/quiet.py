"""While images are read, the libraries underneath say nothing to the user's terminal.

A file is good, or refused with a reason: warnings of Pillow, records of its loggers (Python prints
those of a program that sets no logging up), and what libtiff itself prints are about neither.
"""

import ctypes
import logging
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache

from PIL import Image, _imaging

_HANDLERS = (  # all four: old functions print, new ones too
    "TIFFSetErrorHandler",
    "TIFFSetErrorHandlerExt",
    "TIFFSetWarningHandler",
    "TIFFSetWarningHandlerExt",
)


class _QuietPillow:
    """Pillow's warnings and log records are dropped while a thread reads.

    `warnings.catch_warnings` alone breaks when threads overlap, so the first reader enters it and
    the last one leaves it. Log records are dropped of the threads that read, and of no other.
    """

    def __init__(self) -> None:
        self._lock, self._readers = threading.Lock(), 0
        self._caught = ExitStack()
        self._here = threading.local()

    def __enter__(self) -> None:
        with self._lock:
            if not self._readers:
                self._caught.enter_context(warnings.catch_warnings())
                warnings.filterwarnings("ignore", module=r"PIL\b")
            self._readers += 1
        self._here.depth = getattr(self._here, "depth", 0) + 1
        _watch_loggers()

    def __exit__(self, *problem: object) -> None:
        self._here.depth -= 1
        with self._lock:
            self._readers -= 1
            if not self._readers:
                self._caught.close()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record of Pillow's is passed on: `logging` asks."""
        return not getattr(self._here, "depth", 0)


quiet_pillow = _QuietPillow()


@cache
def _watch_loggers() -> None:
    """Ask `quiet_pillow` about each record of Pillow's (a parent's filter is not asked)."""
    Image.init()
    for name in [*logging.root.manager.loggerDict]:
        if name.split(".")[0] == "PIL":
            logging.getLogger(name).addFilter(quiet_pillow.filter)


_here = threading.local()


def _note(module: bytes, form: bytes, values: int) -> None:
    _here.faulty = True


_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)(_note)


def libtiff_failed() -> bool:
    """Whether libtiff has reported an error in this thread since `quiet_libtiff` was entered.

    Where it converts colours itself, and for faxes, it goes on after one and returns success.
    """
    return getattr(_here, "faulty", False)


@contextmanager
def quiet_libtiff() -> Iterator[None]:
    """A block in which libtiff prints nothing; `libtiff_failed` tells what it would have."""
    _here.faulty = False
    if _silence():
        yield
    else:  # Pillow for Windows has libtiff inside, with no name to reach it by
        with _stderr_aside:
            yield


@cache
def _silence() -> bool:
    """Replace the functions with which Pillow's own libtiff prints, if they can be reached.

    It is the copy of Pillow alone: nothing is lost to a program that has libtiff open besides.
    """
    try:
        library = ctypes.CDLL(_imaging.__file__)
        for name in _HANDLERS:
            setter = getattr(library, name)
            setter.argtypes, setter.restype = [ctypes.c_void_p], ctypes.c_void_p
            setter(ctypes.cast(_HANDLER, ctypes.c_void_p) if name == _HANDLERS[0] else None)
    except (AttributeError, OSError, TypeError):
        return False
    return True


class _StderrAside:
    """File descriptor 2 leads nowhere while someone reads; the first one in, the last one out."""

    def __init__(self) -> None:
        self._lock, self._readers, self._kept = threading.Lock(), 0, -1

    def __enter__(self) -> None:
        with self._lock:
            if not self._readers:
                self._turn_away()
            self._readers += 1

    def __exit__(self, *problem: object) -> None:
        with self._lock:
            self._readers -= 1
            if not self._readers and self._kept >= 0:
                os.dup2(self._kept, 2)
                os.close(self._kept)
                self._kept = -1

    def _turn_away(self) -> None:
        with suppress(OSError):  # it may be closed already: then nothing is printed
            self._kept = os.dup(2)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 2)
            os.close(nowhere)


_stderr_aside = _StderrAside()
