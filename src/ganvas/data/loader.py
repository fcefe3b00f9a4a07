"""Batches on the device, as a function of the seed and the number of images seen."""

from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from ganvas.data.dataset import Dataset
from ganvas.data.order import positions
from ganvas.imaging.alpha import premultiplied
from ganvas.imaging.tensors import to_floats

FEWEST = 2  # images per micro-batch: a standard deviation over the batch needs two


@dataclass(frozen=True)
class Batch:
    """Real images (N, C, H, W) in [-1, 1], as networks see them, and one-hot labels (N, classes).

    Transparent images have premultiplied alpha: see imaging/alpha.py.
    """

    images: Tensor
    labels: Tensor
    first: int = 0  # index of the first row in the whole batch
    whole: int | None = None  # rows of the whole batch, if this is a micro-batch

    @property
    def total(self) -> int:
        """Rows of the whole batch."""
        return self.whole or len(self.images)

    @property
    def share(self) -> float:
        """The share of the whole batch that is in this one."""
        return len(self.images) / self.total

    @property
    def last(self) -> bool:
        """Whether it ends the whole batch."""
        return self.first + len(self.images) == self.total

    @property
    def rows(self) -> slice:
        """The rows of the whole batch that are in this one."""
        return slice(self.first, self.first + len(self.images))

    def micro_batches(self, count: int) -> list["Batch"]:
        """Split into `count` micro-batches, or fewer, so that each has at least two images."""
        total = len(self.images)
        count = max(1, min(count, total // FEWEST))
        parts, first = list[Batch](), 0
        for images, labels in zip(self.images.chunk(count), self.labels.chunk(count), strict=True):
            parts.append(Batch(images, labels, first, total))
            first += len(images)
        return parts


@dataclass(frozen=True)
class Loader:
    """Endless batches; resuming needs only the number of images seen."""

    dataset: Dataset
    count: int
    device: torch.device

    def load(self, seed: int, first: int, count: int) -> Batch:
        """The next `count` images after the `first` ones of a run with this seed.

        The bytes stay in channels-last order, which convolutions on a CPU prefer.
        """
        where = positions(seed, first, count, len(self.dataset))
        return Batch(
            premultiplied(to_floats(self._to_device(self.dataset.batch(where)))),
            self._to_device(self.dataset.labels(where)),
        )

    def _to_device(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(array).to(self.device, non_blocking=True)
