"""Ctrl-C, SIGTERM and SIGHUP, held back to the end of a step, so that what is saved is whole.

The handler only sets a flag (nothing else is safe in one); the loop's caller asks for it between
steps. A second Ctrl-C does not wait. Other signals may come twice for one reason: a closing
terminal and its shell both send SIGHUP, and `timeout` sends SIGTERM to a process and to its group.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

HELD = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class Interrupts:
    """Which signal, if any, asked the run to end."""

    def __init__(self) -> None:
        self.received: signal.Signals | None = None

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Remember the first signal; obey a Ctrl-C after it at once."""
        if self.received is None:
            self.received = signal.Signals(number)
        elif number == signal.SIGINT:
            signal.signal(number, signal.default_int_handler)
            raise KeyboardInterrupt

    def raise_again(self) -> None:
        """End as the signal would have ended the process, now that everything is saved."""
        if self.received == signal.SIGINT:
            raise KeyboardInterrupt
        if self.received is not None:
            raise SystemExit(128 + self.received)


@contextmanager
def held_back() -> Iterator[Interrupts]:
    """Hold signals back while the block runs; only the main thread may, elsewhere none are held.

    What the process ignores stays ignored: SIGHUP under nohup, Ctrl-C in a script's background.
    """
    interrupts = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    obeyed = [number for number in HELD if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, interrupts.handle) for number in obeyed}
    try:
        yield interrupts
    finally:
        with suppress(ValueError):  # closed by another thread, which may set no handlers
            for number, handler in before.items():
                signal.signal(number, handler)
