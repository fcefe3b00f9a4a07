"""Prepared images, read back by their number."""

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

RESIDENT = 64 * 2**20  # bytes of the file that may stay mapped before they are let go
PAGES_AROUND = 128 * 2**10  # bytes that the system maps beside those that are asked for


class ImageDataset:
    """Equal-sized images that stay on disk until they are asked for.

    `names` are the files in the source that they come from, `refused` the files that could not be
    used, `key` tells sources and settings apart. With mirrored copies, image `usable + i` is the
    mirror image of image `i`, and `len` is twice `usable`. `classes` are the names of what they
    show, none unless folders say it.
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
        """Tells sets apart that have one key: other files may be usable on another day."""
        names = "\0".join(self.names).encode()
        return f"{self.key}-{FORMAT}-{blake2b(names, digest_size=8).hexdigest()}"

    def __len__(self) -> int:
        return self.usable * (1 + self.mirror)

    def batch(self, indices: Sequence[int] | NDArray[np.integer]) -> Pixels:
        """The images of these numbers (count, height, width, channels); may raise IndexError."""
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
        """Unmap what was read, or in the end the whole file counts as this process's memory."""
        self._mapped += pixels.nbytes + len(pixels) * PAGES_AROUND
        if self._mapped > RESIDENT and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)
            self._mapped = 0


class Dataset(Protocol):
    """Equal-sized images by their number, from 0 to the length."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        ...

    @property
    def usable(self) -> int:
        """How many there are, mirror images not counted."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of what they show, if that is known."""
        ...

    def __len__(self) -> int: ...

    def batch(self, indices: Sequence[int] | NDArray[np.integer]) -> NDArray[Any]:
        """The images of these numbers (count, height, width, channels), from 0 to 255."""
        ...

    def labels(self, indices: Sequence[int] | NDArray[np.integer]) -> NDArray[np.float32]:
        """One-hot classes (count, classes) of the images of these numbers."""
        ...
