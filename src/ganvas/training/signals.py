"""What is measured of a run while it goes on, at next to no cost, for whoever watches it.

Every step says how much images differ within a batch; every few steps more is measured, which
costs a copy of the weights.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EVERY = 32  # steps from one of the dearer measurements to the next
THUMBNAIL = 8  # pixels a side


def due(step: int) -> bool:
    """Whether this step is measured in full."""
    return step % EVERY == 0


@torch.no_grad()
def spread(images: Tensor) -> Tensor:
    """How much images (N, C, H, W) of a batch differ, seen from afar: standard deviation.

    0 when all are alike; noise in single pixels counts little.
    """
    small = F.adaptive_avg_pool2d(images.float(), THUMBNAIL)
    deviation: Tensor = small.var(0).mean().sqrt()
    return deviation


@torch.no_grad()
def feature_spread(features: Tensor) -> Tensor:
    """The same of features (N, F), in units of their size, so that layers may grow."""
    features = features.float()
    size = features.norm(dim=1).mean().clamp(min=1e-12)
    deviation: Tensor = features.var(0).sum().sqrt() / size
    return deviation


@contextmanager
def inputs_of(layer: nn.Module, wanted: bool) -> Iterator[list[Tensor]]:
    """What goes into a layer while the block runs, if it is wanted."""
    seen: list[Tensor] = []
    if not wanted:
        yield seen
        return

    def keep(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen.append(inputs[0].detach())

    handle = layer.register_forward_pre_hook(keep)
    try:
        yield seen
    finally:
        handle.remove()


@torch.no_grad()
def copies(weights: list[Tensor]) -> list[Tensor]:
    """What weights are now."""
    return [weight.clone() for weight in weights]


@torch.no_grad()
def update_ratio(before: list[Tensor], after: list[Tensor]) -> Tensor:
    """How far weights moved, in units of their size: the update-to-weight ratio."""
    distance = nn.utils.get_total_norm(torch._foreach_sub(after, before))
    return distance / nn.utils.get_total_norm(before).clamp(min=1e-12)
