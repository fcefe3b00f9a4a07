"""Ctrl-C and SIGTERM, held back to the end of a step, so that what is saved is whole.

The handler only sets a flag (nothing else is safe in one); the loop's caller asks for it between
steps. A second Ctrl-C does not wait.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """Which signal, if any, asked the run to end."""

    def __init__(self) -> None:
        self.received: signal.Signals | None = None

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Remember the first signal; obey the second at once."""
        if self.received is not None:
            signal.signal(number, signal.default_int_handler)
            raise KeyboardInterrupt
        self.received = signal.Signals(number)

    def raise_again(self) -> None:
        """End as the signal would have ended the process, now that everything is saved."""
        if self.received == signal.SIGINT:
            raise KeyboardInterrupt
        if self.received is not None:
            raise SystemExit(128 + self.received)


@contextmanager
def held_back() -> Iterator[Interrupts]:
    """Hold signals back while the block runs; only the main thread may, elsewhere none are held."""
    interrupts = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, interrupts.handle) for number in numbers}
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
