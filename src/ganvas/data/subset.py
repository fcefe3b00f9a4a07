"""Hold out a few images that training never sees, to tell learning from memorisation."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ganvas.data.dataset import ImageDataset
from ganvas.events import Refusal
from ganvas.imaging import Pixels

SHARE, FEWEST, MOST = 0.05, 8, 256  # share of the images, and its bounds in images
ENOUGH = 100  # images; with fewer, none are held out


class Subset:
    """A Dataset of some images of another one."""

    def __init__(self, whole: ImageDataset, numbers: NDArray[np.int64]) -> None:
        """`numbers` are the indices of images without mirroring; mirror images are added."""
        self.whole, self.numbers = whole, numbers
        if whole.mirror:
            self.numbers = np.concatenate([numbers, numbers + whole.usable])
        self.usable = len(numbers)
        self.shape, self.key, self.source = whole.shape, whole.key, whole.source
        self.classes: tuple[str, ...] = whole.classes
        self.refused: tuple[Refusal, ...] = whole.refused

    def __len__(self) -> int:
        return len(self.numbers)

    def batch(self, indices: Sequence[int] | NDArray[np.integer]) -> Pixels:
        """The images at these indices (count, height, width, channels)."""
        return self.whole.batch(self.numbers[np.asarray(indices, np.int64)])

    def labels(self, indices: Sequence[int] | NDArray[np.integer]) -> NDArray[np.float32]:
        """One-hot classes (count, classes) of the images at these indices."""
        return self.whole.labels(self.numbers[np.asarray(indices, np.int64)])


def split(whole: ImageDataset, seed: int) -> tuple[Subset, Subset]:
    """Split into training images and held-out images: a twentieth, 8 to 256, drawn by the seed.

    With fewer than a hundred images, none are held out.
    """
    count = int(np.clip(SHARE * whole.usable, FEWEST, MOST)) if whole.usable >= ENOUGH else 0
    order = np.random.default_rng((seed, whole.usable)).permutation(whole.usable)
    return Subset(whole, np.sort(order[count:])), Subset(whole, np.sort(order[:count]))
