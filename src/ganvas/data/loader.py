"""Batches on the device, as a function of the seed and the number of images seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganvas.data.dataset import Dataset
from ganvas.data.order import positions
from ganvas.imaging.alpha import premultiplied
from ganvas.imaging.tensors import to_floats
from ganvas.runtime.distributed import ProcessesError, rows_of, sharing

FEWEST = 2  # images per micro-batch: a standard deviation over the batch needs two


@dataclass(frozen=True)
class Batch:
    """Real images (N, C, H, W) in [-1, 1], as networks see them, and one-hot labels (N, classes).

    Transparent images have premultiplied alpha: see imaging/alpha.py.
    """

    images: Tensor
    labels: Tensor
    first: int = 0  # index of the first row in the whole batch
    whole: int | None = None  # rows of the whole batch, if this is a part of it
    last: bool = True  # whether it is the last that this process sees of the whole batch

    @property
    def total(self) -> int:
        """Rows of the whole batch."""
        return self.whole or len(self.images)

    @property
    def share(self) -> float:
        """The share of the whole batch that is in this one."""
        return len(self.images) / self.total

    @property
    def rows(self) -> slice:
        """The rows of the whole batch that are in this one."""
        return slice(self.first, self.first + len(self.images))


def micro_batches(total: int, count: int) -> list[slice]:
    """The rows of `count` micro-batches of a batch, or of fewer: each has at least two images.

    Several processes share each micro-batch; the rows are then this one's. Raises ProcessesError
    where a process would have fewer than two.
    """
    size = -(-total // max(1, min(count, total // (FEWEST * sharing()))))
    found = []
    for first in range(0, total, size):
        own = rows_of(min(size, total - first))
        found.append(slice(first + own.start, first + own.stop))
    if sharing() > 1 and any(rows.stop - rows.start < FEWEST for rows in found):
        raise ProcessesError(
            f"a batch of {total} is too small for {sharing()} processes, each of which needs "
            f"{FEWEST} images of it; take a larger --batch, or fewer processes."
        )
    return found


@dataclass(frozen=True)
class Loader:
    """Endless batches; resuming needs only the number of images seen."""

    dataset: Dataset
    count: int
    device: torch.device

    def load(self, seed: int, first: int, count: int) -> Batch:
        """The next `count` images after the `first` ones of a run with this seed."""
        (batch,) = self.load_parts(seed, first, count, [slice(0, count)])
        return batch

    def load_parts(self, seed: int, first: int, count: int, parts: Sequence[slice]) -> list[Batch]:
        """Those rows of the next `count` images after the `first` ones of a run with this seed.

        The bytes stay in channels-last order, which convolutions on a CPU prefer.
        """
        where = positions(seed, first, count, len(self.dataset))
        own = np.concatenate([where[rows] for rows in parts])
        images = premultiplied(to_floats(self._to_device(self.dataset.batch(own))))
        labels = self._to_device(self.dataset.labels(own))
        sizes = [rows.stop - rows.start for rows in parts]
        return [
            Batch(image, label, rows.start, count, rows is parts[-1])
            for image, label, rows in zip(
                torch.split(images, sizes), torch.split(labels, sizes), parts, strict=True
            )
        ]

    def _to_device(self, array: NDArray[Any]) -> Tensor:
        found = torch.from_numpy(array)
        if self.device.type == "cuda":  # page-locked, so that the copy runs beside the GPU's work
            found = found.pin_memory()
        return found.to(self.device, non_blocking=True)
