"""How much memory decoding takes, and how much all decoding threads may take together."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from ganvas.imaging.errors import ScarceMemoryError, UnreadableImageError
from ganvas.runtime.memory import SHARE, Budget, available

MOST = 5 * 2**28  # bytes, for all threads together: 178 million pixels of 32 bits, and some room
UNCOUNTED = 2**24  # bytes; smaller amounts are not reserved
_DECODING = Budget(MOST)
_WHOLE = Budget(sys.maxsize)  # for images decoded at full size: limited by free memory alone

_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2, "I;16N": 2}
_POINTER = 8  # bytes: Pillow keeps a pointer per row, which dominates in tall narrow images


def bytes_stored(mode: str, size: tuple[int, int]) -> int:
    """Bytes that Pillow needs to hold an image."""
    width, height = size
    row = -(-width * _BYTES.get(mode, 4) // 4) * 4
    return height * (row + _POINTER)


@contextmanager
def reserved(needed: int, pixels: int, whole: bool) -> Iterator[None]:
    """Reserve `needed` bytes while the block runs, and wait for them if necessary.

    With `whole`, only the machine's memory limits them. Raises UnreadableImageError if the amount
    exceeds the limit, ScarceMemoryError if too little memory is free at present.
    """
    with ExitStack() as held:
        if needed > UNCOUNTED:
            try:
                held.enter_context((_WHOLE if whole else _DECODING).reserved(needed))
            except MemoryError:
                raise _refusal(needed, pixels, whole) from None
        yield


def _refusal(needed: int, pixels: int, whole: bool) -> UnreadableImageError:
    wanted = f"has {pixels / 1e6:.3g} million pixels and needs {_gb(needed)} of memory"
    if needed > MOST and not whole:
        return UnreadableImageError(
            f"{wanted}, more than the {_gb(MOST)} that decoding may take; make it smaller first"
        )
    left = _gb(int(SHARE * available()))
    return ScarceMemoryError(
        f"{wanted}, more than the {left} that decoding may take of what is free; "
        "make it smaller, or free some memory"
    )


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
