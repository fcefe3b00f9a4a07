"""Defer Ctrl-C, SIGTERM and SIGHUP to the end of a step, so that checkpoints are complete.

The handler only stores the signal and puts a command into the run's queue (nothing else is safe in
one). A second Ctrl-C takes effect at once. A second SIGTERM or SIGHUP does not, because one event
may send two: a closing terminal and its shell both send SIGHUP, and `timeout` sends SIGTERM to a
process and to its group.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

HELD = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
)
# What asks another process to end. On Windows SIGTERM would end it at once; Ctrl-Break arrives, as
# SIGBREAK, at one that leads a group of its own.
ASKING: int = getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM)


def end(number: int, frame: FrameType | None) -> None:
    """A handler that ends the process by an exception, as Ctrl-C does, so that files are closed."""
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Let signals end the block through `end`; ignored signals stay ignored."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        obeyed = [number for number in HELD if signal.getsignal(number) != signal.SIG_IGN]
        before = {number: signal.signal(number, end) for number in obeyed}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Interrupts:
    """The signal, if any, that asked the run to end."""

    def __init__(self, received: Callable[[signal.Signals], object] = lambda number: None) -> None:
        """`received` is called with the first signal, in a handler."""
        self.received: signal.Signals | None = None
        self._tell = received
        self.before: dict[int, Any] = {}  # handlers, by signal
        self._suspended = self._over = False

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Pass signals to the caller's code while it runs: it may never return."""
        self._suspended = True
        try:
            yield
        finally:
            self._suspended = False

    def put_back(self) -> None:
        """Restore the previous handlers; from another thread, this happens at the next signal."""
        self._over = True
        with suppress(ValueError):  # only the main thread may set handlers
            for number, handler in self.before.items():
                signal.signal(number, handler)

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Store the first signal; obey a later Ctrl-C at once."""
        before = self.before.get(number)
        if self._over:
            self.put_back()
            os.kill(os.getpid(), number)
        elif self._suspended and before is not end:  # the command line always returns
            (before if callable(before) else end)(number, frame)
        elif self.received is None:
            self.received = signal.Signals(number)
            self._tell(self.received)
        elif number == signal.SIGINT:
            signal.signal(number, signal.default_int_handler)
            raise KeyboardInterrupt

    def raise_again(self) -> None:
        """End the process as the signal would have, now that everything is saved."""
        if self.received == signal.SIGINT:
            raise KeyboardInterrupt
        if self.received is not None:
            raise SystemExit(128 + self.received)


@contextmanager
def held_back(
    received: Callable[[signal.Signals], object] = lambda number: None,
) -> Iterator[Interrupts]:
    """Defer signals while the block runs; only in the main thread, elsewhere it does nothing.

    `received` is called with the first signal, inside a handler, where little is safe.

    Ignored signals stay ignored: SIGHUP under nohup, Ctrl-C in a script's background job.
    """
    interrupts = Interrupts(received)
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    obeyed = [number for number in HELD if signal.getsignal(number) != signal.SIG_IGN]
    interrupts.before = {number: signal.signal(number, interrupts.handle) for number in obeyed}
    try:
        yield interrupts
    finally:
        interrupts.put_back()
