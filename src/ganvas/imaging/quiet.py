"""Silence the underlying libraries while images are read.

A file is either accepted or refused with a reason. Warnings of Pillow, records of its loggers
(Python prints them if a program configures no logging), and messages of libtiff add nothing.
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

_HANDLERS = (  # all four: both the old and the new functions print
    "TIFFSetErrorHandler",
    "TIFFSetErrorHandlerExt",
    "TIFFSetWarningHandler",
    "TIFFSetWarningHandlerExt",
)


class _QuietPillow:
    """Drops Pillow's warnings and log records while a thread reads.

    `warnings.catch_warnings` alone breaks when threads overlap, so the first reader enters it and
    the last one leaves it. Log records are dropped only in the threads that read.
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
        """Whether a log record of Pillow is passed on; called by `logging`."""
        return not getattr(self._here, "depth", 0)


quiet_pillow = _QuietPillow()


@cache
def _watch_loggers() -> None:
    """Install `quiet_pillow` as a filter in each of Pillow's loggers.

    The filter of a parent logger is not applied to its children's records.
    """
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

    When it converts colours itself, and for faxes, it continues after an error and returns success.
    """
    return getattr(_here, "faulty", False)


@contextmanager
def quiet_libtiff() -> Iterator[None]:
    """A block in which libtiff prints nothing; `libtiff_failed` says whether it found an error."""
    _here.faulty = False
    if _silence():
        yield
    else:  # Pillow for Windows links libtiff statically, without exported names
        with _stderr_aside:
            yield


@cache
def _silence() -> bool:
    """Replace the message handlers of Pillow's own libtiff, if they can be reached.

    Only Pillow's copy is changed: other users of libtiff in the same program keep their handlers.
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
    """Redirects file descriptor 2 to the null device from the first reader to the last."""

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
