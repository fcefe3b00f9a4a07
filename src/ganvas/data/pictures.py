"""Prepared pictures, read back by their number."""

import mmap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganvas.data.classes import LabelsName, by_folder
from ganvas.data.store import PIXELS, Manifest
from ganvas.events import Refusal
from ganvas.images import Pixels

RESIDENT = 64 * 2**20  # bytes of the file that may stay mapped before they are let go
PAGES_AROUND = 128 * 2**10  # bytes that the system maps beside those that are asked for


class Pictures:
    """Equal-sized pictures that stay on disk until they are asked for.

    `names` are the files in the source that they come from, `refused` the files that could not be
    used, `key` tells sources and settings apart. With mirrored copies, picture `usable + i` is the
    mirror image of picture `i`, and `len` is twice `usable`. `classes` are the names of what they
    show, none unless folders say it.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        source: str,
        mirror: bool = False,
        labels: LabelsName = "none",
    ) -> None:
        self.source = source
        self.key = folder.name
        self.names = manifest.names
        self.refused: tuple[Refusal, ...] = manifest.refused
        self.usable, height, width, channels = manifest.shape
        self.shape = channels, height, width
        self.mirror = mirror
        found = by_folder(source, manifest.names) if labels == "folders" else None
        self.classes: tuple[str, ...] = found.names if found else ()
        self._labels = found.of if found else np.zeros(self.usable, np.int64)
        with (folder / PIXELS).open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._pixels = np.frombuffer(self._map, np.uint8).reshape(manifest.shape)
        self._mapped = 0

    def __len__(self) -> int:
        return self.usable * (1 + self.mirror)

    def batch(self, indices: Sequence[int] | NDArray[np.integer]) -> Pixels:
        """The pictures of these numbers (count, height, width, channels); may raise IndexError."""
        numbers = np.asarray(indices, np.int64)
        if numbers.size and not 0 <= numbers.min() <= numbers.max() < len(self):
            raise IndexError(f"picture numbers must be from 0 to {len(self) - 1}")
        pixels = self._pixels[numbers % self.usable]
        mirrored = numbers >= self.usable
        pixels[mirrored] = pixels[mirrored, :, ::-1]
        self._let_go(pixels)
        return pixels

    def labels(self, indices: Sequence[int] | NDArray[np.integer]) -> NDArray[np.float32]:
        """One-hot classes (count, classes) of the pictures of these numbers."""
        numbers = np.asarray(indices, np.int64) % self.usable
        one_hot = np.zeros((len(numbers), len(self.classes)), np.float32)
        if self.classes:
            one_hot[np.arange(len(numbers)), self._labels[numbers]] = 1
        return one_hot

    def _let_go(self, pixels: Pixels) -> None:
        """Unmap what was read, or in the end the whole file counts as this process's memory."""
        self._mapped += pixels.nbytes + len(pixels) * PAGES_AROUND
        if self._mapped > RESIDENT and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)
            self._mapped = 0
