"""Find images that are nearly the same: another size, another compression, a little brighter.

Two images are near-duplicates if no pixel of their thumbnails differs by more than a few levels.
Averages over the image would also find two faces that differ in the mouth alone.
"""

import numpy as np
from numpy.typing import NDArray

from ganvas.imaging import Pixels
from ganvas.runtime.names import printable

SIDE, COARSE = 16, 4  # pixels of a thumbnail, and of the coarser one that is compared first
LEVELS = 14  # of 255: JPEG at quality 40 differs by 4 to 10, other images by 30 and more
REASON = "is nearly the same as "


def near_duplicate_of(name: str) -> str:
    """The reason for leaving an image out."""
    return f"{REASON}{printable(name)} (--distinct)"


def is_near_duplicate(reason: str) -> bool:
    """Whether that is the reason."""
    return reason.startswith(REASON)


class Known:
    """The thumbnails of the images that are taken."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._fine = np.empty((0, 0), np.int16)
        self._coarse = np.empty((0, 0), np.int16)

    def add(self, name: str, image: Pixels) -> str | None:
        """Take an image (H, W, C); or the name of the one that it is nearly the same as."""
        fine, coarse = thumbnail(image, SIDE), thumbnail(image, COARSE)
        if self._names:
            count = len(self._names)
            # A mean of differences is never larger than the largest of them.
            near = np.abs(self._coarse[:count] - coarse).max(1) <= LEVELS
            for place in np.flatnonzero(near):
                if np.abs(self._fine[place] - fine).max() <= LEVELS:
                    return self._names[place]
        self._fine = _with_row(self._fine, len(self._names), fine)
        self._coarse = _with_row(self._coarse, len(self._names), coarse)
        self._names.append(name)
        return None


def thumbnail(image: Pixels, side: int) -> NDArray[np.int16]:
    """Means over a grid of side x side cells of an image (H, W, C), flat."""
    height, width = image.shape[:2]
    rows = np.linspace(0, height, min(side, height) + 1).astype(int)[:-1]
    columns = np.linspace(0, width, min(side, width) + 1).astype(int)[:-1]
    sums = np.add.reduceat(np.add.reduceat(image.astype(np.float64), rows, 0), columns, 1)
    counts = np.diff([*rows, height])[:, None] * np.diff([*columns, width])[None, :]
    found: NDArray[np.int16] = (sums / counts[..., None]).round().astype(np.int16).ravel()
    return found


def _with_row(rows: NDArray[np.int16], count: int, row: NDArray[np.int16]) -> NDArray[np.int16]:
    """The same with one more row, in an array that grows by doubling."""
    if count == len(rows):
        grown = np.zeros((max(64, 2 * count), len(row)), np.int16)
        if count:
            grown[:count] = rows
        rows = grown
    rows[count] = row
    return rows
