"""Print safely, whatever the encoding of the output, and even if it is closed.

A run of hours must not end because its progress cannot be printed any more. Characters that cannot
be encoded are replaced; output that cannot be written is dropped, and reported at the end.
"""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from ganvas.runtime.names import printable
from ganvas.runtime.system import reason


class Outlet(io.TextIOBase):
    """A wrapper around a stream that never raises when writing fails."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream = stream
        self._name = name
        self.fault: OSError | None = None
        with suppress(AttributeError, ValueError):  # not a system file: it takes any character
            cast(Any, stream).reconfigure(errors="backslashreplace")

    def write(self, text: str) -> int:
        """Write, or drop what cannot be written."""
        if not isinstance(text, str):
            raise TypeError(f"{self._name} takes text")
        self._safely(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Flush the stream below."""
        self._safely(self._stream.flush)

    def _safely(self, work: Any) -> None:
        if self.fault is None:
            try:
                work()
            except OSError as fault:
                self.fault = fault

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a plain attribute there
        """The encoding of the stream below."""
        return self._stream.encoding or "utf-8"

    def isatty(self) -> bool:
        """Whether the stream below is a terminal that still works."""
        return self.fault is None and self._stream.isatty()

    def fileno(self) -> int:
        """The file descriptor of the stream below."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """Always: what cannot be written is dropped."""
        return True

    def sentence(self) -> str | None:
        """What went wrong, if anything; a closed pipe is not reported."""
        if self.fault is None or self.fault.errno == errno.EPIPE:
            return None
        return f"{self._name} cannot be written: {reason(self.fault)}."


@contextmanager
def outlets() -> Iterator[list[Outlet]]:
    """Print through outlets while the block runs; yields them, with their faults."""
    _open_closed()
    if os.environ.get("COLUMNS") == "0":  # from a terminal of unknown width: hides all output
        del os.environ["COLUMNS"]
    before = sys.stdout, sys.stderr
    made = [Outlet(before[0], "the output"), Outlet(before[1], "the error output")]
    sys.stdout, sys.stderr = (cast(TextIO, outlet) for outlet in made)
    try:
        yield made
    finally:
        for outlet in made:
            outlet.flush()
        sys.stdout, sys.stderr = before
        for outlet, stream in zip(made, before, strict=True):
            if outlet.fault is not None:
                _silence(stream)


def say(*lines: str, error: bool = False) -> None:
    """Print lines, with unprintable characters escaped."""
    shown = "".join(f"{printable(line)}\n" for line in lines)
    (sys.stderr if error else sys.stdout).write(shown)


def _open_closed() -> None:
    """Open the null device for every closed standard stream.

    Otherwise the next file that is opened would take its descriptor, and receive what C libraries
    print.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  # until the end


def _silence(stream: TextIO) -> None:
    """Redirect a broken stream to the null device, so that the interpreter's exit is silent."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
