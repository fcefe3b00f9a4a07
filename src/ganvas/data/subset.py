"""A few images that training never sees, to tell learning from learning by heart."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ganvas.data.dataset import ImageDataset
from ganvas.events import Refusal
from ganvas.imaging import Pixels

SHARE, FEWEST, MOST = 0.05, 8, 256  # of the images, and images
ENOUGH = 100  # images, below which none can be spared


class Subset:
    """Some images of a set, in its place."""

    def __init__(self, whole: ImageDataset, numbers: NDArray[np.int64]) -> None:
        """`numbers` are those of images as they are; mirror images follow them."""
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
        """The images of these numbers (count, height, width, channels)."""
        return self.whole.batch(self.numbers[np.asarray(indices, np.int64)])

    def labels(self, indices: Sequence[int] | NDArray[np.integer]) -> NDArray[np.float32]:
        """One-hot classes (count, classes) of the images of these numbers."""
        return self.whole.labels(self.numbers[np.asarray(indices, np.int64)])


def split(whole: ImageDataset, seed: int) -> tuple[Subset, Subset]:
    """Those to learn from, and those that are held out: a twentieth, 8 to 256, drawn by the seed.

    Of fewer than a hundred none can be spared.
    """
    count = int(np.clip(SHARE * whole.usable, FEWEST, MOST)) if whole.usable >= ENOUGH else 0
    order = np.random.default_rng((seed, whole.usable)).permutation(whole.usable)
    return Subset(whole, np.sort(order[count:])), Subset(whole, np.sort(order[:count]))
