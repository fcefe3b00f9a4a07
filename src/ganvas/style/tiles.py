"""Images larger than memory, processed block by block, exactly and without seams.

Every activation depends on pixels within a known distance. A block is therefore processed with a
margin that wide around it, and its own activations are exactly those of the whole image. (Galerne,
Raad, Lezama and Morel, 2024, do so for Gram matrices.)
"""

from collections.abc import Iterator
from dataclasses import dataclass

STRIDE = 16  # of the coarsest layer: blocks begin at its activations
MARGIN = 80  # conv5_1 sees 70 pixels around its own 16, on each side

BLOCK = 768  # pixels of a block's side
WHOLE = 1_200_000  # pixels up to which a whole image costs hardly more than a block with margins

Span = tuple[int, int]  # from, to


@dataclass(frozen=True)
class Block:
    """A part of an image: `inner` is its own, `outer` includes the margin that it needs."""

    inner: tuple[Span, Span]  # rows, columns
    outer: tuple[Span, Span]

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the image to process."""
        (top, bottom), (left, right) = self.outer
        return slice(top, bottom), slice(left, right)

    def own(self, stride: int) -> tuple[slice, slice]:
        """Rows and columns, among activations of the window, that belong to this block."""
        rows, columns = (
            slice((inner[0] - outer[0]) // stride, (inner[1] - outer[0]) // stride)
            for inner, outer in zip(self.inner, self.outer, strict=True)
        )
        return rows, columns

    def place(self, stride: int) -> tuple[slice, slice]:
        """Rows and columns of these activations among those of the whole image."""
        rows, columns = (slice(inner[0] // stride, inner[1] // stride) for inner in self.inner)
        return rows, columns


def blocks(height: int, width: int, side: int | None = None) -> Iterator[Block]:
    """Blocks of at most `side` pixels, a multiple of 16, that together cover the image.

    If `side` is None, images that fit into memory easily are one block.
    """
    if side is None:
        side = max(height, width) if height * width <= WHOLE else BLOCK
    for rows, seen_rows in _spans(height, side):
        for columns, seen_columns in _spans(width, side):
            yield Block((rows, columns), (seen_rows, seen_columns))


def _spans(length: int, side: int) -> Iterator[tuple[Span, Span]]:
    """Equal parts of a side, the last one smaller, each with its window.

    Windows are equally large even at an edge, where less would do: memory is then reused without
    gaps.
    """
    count = -(-length // side)
    part = -(-length // (count * STRIDE)) * STRIDE
    window = min(length, part + 2 * MARGIN)
    for start in range(0, length, part):
        first = max(0, min(start - MARGIN, (length - window) // STRIDE * STRIDE))
        last = first + window
        whole = length - last < STRIDE  # nothing is left over at the edge
        yield (start, min(start + part, length)), (first, length if whole else last)
