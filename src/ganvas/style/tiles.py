"""Images larger than memory, seen block by block: nothing is lost and no seam appears.

Every activation depends on pixels within a known distance. A block is therefore looked at with a
margin that wide around it, and its own activations come out exactly as in the whole image.
(Galerne, Raad, Lezama and Morel, 2024, do so for Gram matrices.)
"""

from collections.abc import Iterator
from dataclasses import dataclass

STRIDE = 16  # of the coarsest layer: blocks begin at its activations
MARGIN = 80  # conv5_1 sees 70 pixels around its own 16, on each side

BLOCK = 768  # pixels of a block's side
WHOLE = 1_200_000  # pixels of an image that is hardly more work whole than a block and its margins

Span = tuple[int, int]  # from, to


@dataclass(frozen=True)
class Block:
    """A part of an image: `inner` is its own, `outer` what must be seen for it."""

    inner: tuple[Span, Span]  # rows, columns
    outer: tuple[Span, Span]

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the image to look at."""
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
    """Blocks of at most `side` pixels, a multiple of 16, that together are the whole image.

    Unless `side` says otherwise, images that fit into memory easily are one block.
    """
    if side is None:
        side = max(height, width) if height * width <= WHOLE else BLOCK
    for rows, seen_rows in _spans(height, side):
        for columns, seen_columns in _spans(width, side):
            yield Block((rows, columns), (seen_rows, seen_columns))


def _spans(length: int, side: int) -> Iterator[tuple[Span, Span]]:
    """Parts of a side, all alike but the last, and what must be seen for each.

    Also at an edge, where less would do, windows are alike: memory is then used again without gaps.
    """
    count = -(-length // side)
    part = -(-length // (count * STRIDE)) * STRIDE
    window = min(length, part + 2 * MARGIN)
    for start in range(0, length, part):
        first = max(0, min(start - MARGIN, (length - window) // STRIDE * STRIDE))
        last = first + window
        whole = length - last < STRIDE  # nothing is left over at the edge
        yield (start, min(start + part, length)), (first, length if whole else last)
