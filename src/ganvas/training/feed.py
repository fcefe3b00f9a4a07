"""The pictures of a step, on the device: a function of how many have been seen, nothing else."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.data import Pictures, positions
from ganvas.training.state import TrainingState


@dataclass(frozen=True)
class Feed:
    """Endless batches; resuming needs only the number of pictures seen."""

    pictures: Pictures
    count: int
    device: torch.device

    def next(self, state: TrainingState) -> Tensor:
        """The next batch (N, C, H, W) in [-1, 1], counted in the state as seen.

        As many as the model wants now: a small one, still growing, wants more than `count`.

        The bytes lie in channels-last order, and stay so: convolutions on a CPU prefer it.
        """
        count = state.model.batch(self.count)
        where = positions(state.seed, state.images, count, len(self.pictures))
        batch = self.pictures.batch(where)
        state.images += count
        return to_network(torch.from_numpy(batch).to(self.device, non_blocking=True))


def to_network(pictures: Tensor) -> Tensor:
    """uint8 (N, H, W, C) to float (N, C, H, W) in [-1, 1]."""
    return pictures.permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)
