"""Images as one array in memory, for training with other libraries."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganvas.data.dataset import ImageDataset
from ganvas.data.prepare import DataSettings, prepare
from ganvas.data.sources.find import locate
from ganvas.errors import GanvasError
from ganvas.events import result_of
from ganvas.imaging import Pixels
from ganvas.runtime.memory import available
from ganvas.runtime.system import system_errors
from ganvas.runtime.validation import Place, arguments, build_settings


class TooManyImagesError(GanvasError, MemoryError):
    """More images than fit into memory."""


@arguments
def images(source: Place, **options: Any) -> NDArray[np.float32]:
    """All images of a source, (N, height, width, channels) in [-1, 1], in the order of names.

    `source` is a folder, a .zip, or a built-in name; `options` are the fields of DataSettings, as
    on the command line: `size="64x96"`, `channels=1`, `only="cats/*"`. Files that cannot be used
    are left out: `ganvas data` names them. A value takes four bytes: 10,000 colour images of 64x64
    take 0.5 GB.

    Raises ArgumentError, SettingsError, UnknownNameError, BadArchiveError, NoImagesError,
    CacheError, PlaceError or TooManyImagesError.
    """
    settings: DataSettings = build_settings(DataSettings, "data", options)
    with system_errors():
        found = result_of(prepare(locate(source), settings))
    _check_memory(found)
    return as_floats(found.batch(range(len(found))))


def _check_memory(found: ImageDataset) -> None:
    """Raise TooManyImagesError if all images, as bytes and as floats, would not fit."""
    channels, height, width = found.shape
    needed = len(found) * channels * height * width * (1 + 4)
    if needed > available():
        raise TooManyImagesError(
            f"{len(found):,} images of {height}x{width} need {needed / 1e9:.1f} GB of memory, "
            "more than is free; take a smaller size, or only some of them (only=...)."
        )


def as_floats(pixels: Pixels) -> NDArray[np.float32]:
    """Bytes as floats in [-1, 1]."""
    return pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)


class Arrays:
    """A Dataset from an array of images (N, height, width, channels) in [-1, 1]."""

    classes: tuple[str, ...] = ()

    def __init__(self, images: NDArray[np.float32]) -> None:
        self._images = images
        self.usable = len(images)
        _, height, width, channels = images.shape
        self.shape = channels, height, width

    def __len__(self) -> int:
        return self.usable

    def batch(self, indices: Sequence[int] | NDArray[np.integer]) -> NDArray[np.float32]:
        """The images of these numbers, from 0 to 255, not rounded."""
        chosen: NDArray[np.float32] = self._images[np.asarray(indices, np.int64)]
        return (chosen + np.float32(1)) * np.float32(127.5)

    def labels(self, indices: Sequence[int] | NDArray[np.integer]) -> NDArray[np.float32]:
        """No classes: (count, 0)."""
        return np.zeros((len(indices), 0), np.float32)
