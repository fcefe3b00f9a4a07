"""The images of a step, on the device: a function of how many have been seen, nothing else."""

from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from ganvas.data.dataset import Dataset
from ganvas.data.order import positions
from ganvas.imaging.alpha import premultiplied
from ganvas.imaging.tensors import to_floats

FEWEST = 2  # images at once: a spread over the batch needs two


@dataclass(frozen=True)
class Batch:
    """Real images (N, C, H, W) in [-1, 1], as networks see them, and one-hot labels (N, classes).

    Of transparent ones, colours are multiplied by alpha: see transparency.py.
    """

    images: Tensor
    labels: Tensor
    first: int = 0  # row of the whole batch
    whole: int | None = None  # rows of the whole batch, where this is a part of it

    @property
    def total(self) -> int:
        """Rows of the whole batch."""
        return self.whole or len(self.images)

    @property
    def share(self) -> float:
        """Of what is shown in a step."""
        return len(self.images) / self.total

    @property
    def rows(self) -> slice:
        """Those of the whole batch that are here."""
        return slice(self.first, self.first + len(self.images))

    def micro_batches(self, count: int) -> list["Batch"]:
        """As many batches, or fewer so that each has two images at least."""
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
        """The batch of so many images that follows the `first` images of a run with this seed.

        The bytes lie in channels-last order, and stay so: convolutions on a CPU prefer it.
        """
        where = positions(seed, first, count, len(self.dataset))
        return Batch(
            premultiplied(to_floats(self._to_device(self.dataset.batch(where)))),
            self._to_device(self.dataset.labels(where)),
        )

    def _to_device(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(array).to(self.device, non_blocking=True)
