"""Prepared images, read back by index."""

import mmap
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ganvas.data.cache.store import FORMAT, Stored
from ganvas.data.labels import LabelsName, by_folder
from ganvas.events import Refusal
from ganvas.imaging import Pixels

RESIDENT = 64 * 2**20  # bytes of the file that may stay resident before they are released
PAGES_AROUND = 128 * 2**10  # bytes that the system maps around each image that is read


class ImageDataset:
    """Images of equal size that stay on disk until they are read.

    `names` are their files in the source, `refused` the files that could not be used, `key`
    identifies source and settings. With `mirror`, image `usable + i` is the mirror image of image
    `i`, and `len` is twice `usable`. `classes` are the class names, empty unless labels come from
    folders.
    """

    def __init__(
        self,
        found: Stored,
        refused: tuple[Refusal, ...],
        source: str,
        mirror: bool = False,
        labels: LabelsName = "none",
    ) -> None:
        manifest = found.manifest
        self.source = source
        self.key = found.key
        self.names = manifest.names
        self.refused = refused
        self.usable, height, width, channels = manifest.shape
        self.shape = channels, height, width
        self.mirror = mirror
        folders = by_folder(source, manifest.names) if labels == "folders" else None
        self.classes: tuple[str, ...] = folders.names if folders else ()
        self._labels = folders.of if folders else np.zeros(self.usable, np.int64)
        self._map = found.pixels
        self._pixels = np.frombuffer(self._map, np.uint8).reshape(manifest.shape)
        self._mapped = 0

    @property
    def counts(self) -> dict[str, int]:
        """Images of each class, mirror images not counted; empty without classes."""
        numbers = np.bincount(self._labels, minlength=len(self.classes)).tolist()
        return dict(zip(self.classes, numbers, strict=False))

    @property
    def content(self) -> str:
        """Identifies the usable images: sets with the same key may differ in these."""
        names = "\0".join(self.names).encode()
        return f"{self.key}-{FORMAT}-{blake2b(names, digest_size=8).hexdigest()}"

    def __len__(self) -> int:
        return self.usable * (1 + self.mirror)

    def batch(self, indices: Sequence[int] | NDArray[np.integer]) -> Pixels:
        """The images at these indices (count, height, width, channels); may raise IndexError."""
        numbers = np.asarray(indices, np.int64)
        if numbers.size and not 0 <= numbers.min() <= numbers.max() < len(self):
            raise IndexError(f"image numbers must be from 0 to {len(self) - 1}")
        pixels = self._pixels[numbers % self.usable]
        mirrored = numbers >= self.usable
        pixels[mirrored] = pixels[mirrored, :, ::-1]
        self._let_go(pixels)
        return pixels

    def labels(self, indices: Sequence[int] | NDArray[np.integer]) -> NDArray[np.float32]:
        """One-hot classes (count, classes) of the images of these numbers."""
        numbers = np.asarray(indices, np.int64) % self.usable
        one_hot = np.zeros((len(numbers), len(self.classes)), np.float32)
        if self.classes:
            one_hot[np.arange(len(numbers)), self._labels[numbers]] = 1
        return one_hot

    def _let_go(self, pixels: Pixels) -> None:
        """Release pages that were read, or the whole file counts as this process's memory."""
        self._mapped += pixels.nbytes + len(pixels) * PAGES_AROUND
        if self._mapped > RESIDENT and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)
            self._mapped = 0


class Dataset(Protocol):
    """Images of equal size, by index from 0 to the length."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        ...

    @property
    def usable(self) -> int:
        """The number of images, mirror images not counted."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names; empty if there are none."""
        ...

    def __len__(self) -> int: ...

    def batch(self, indices: Sequence[int] | NDArray[np.integer]) -> NDArray[Any]:
        """The images at these indices (count, height, width, channels), from 0 to 255."""
        ...

    def labels(self, indices: Sequence[int] | NDArray[np.integer]) -> NDArray[np.float32]:
        """One-hot classes (count, classes) of the images of these numbers."""
        ...
