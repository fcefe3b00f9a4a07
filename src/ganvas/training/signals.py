"""Training signals: what is measured during a run, at next to no cost.

Every step measures how much images differ within a batch. Every few steps more is measured, which
costs a copy of the weights.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.runtime.distributed import moments, shared

EVERY = 32  # steps from one full measurement to the next
THUMBNAIL = 8  # pixels a side


def due(step: int) -> bool:
    """Whether this step is measured in full."""
    return step % EVERY == 0


@torch.no_grad()
def spread(images: Tensor) -> Tensor:
    """Standard deviation over the images (N, C, H, W) of a batch, on thumbnails.

    It is 0 when all are alike; noise in single pixels counts little.
    """
    return _variance(F.adaptive_avg_pool2d(images.float(), THUMBNAIL)).mean().sqrt()


@torch.no_grad()
def feature_spread(features: Tensor) -> Tensor:
    """Standard deviation of features (N, F) relative to their norm, so that scale cancels out."""
    features = features.float()
    _, size, _ = moments(features.norm(dim=1))
    return _variance(features).sum().sqrt() / size.clamp(min=1e-12)


def _variance(x: Tensor) -> Tensor:
    """The variance over the rows (N, ...) of all processes, divided by N - 1."""
    if not shared():
        return x.var(0)
    count, _, variance = moments(x)
    return variance * count / max(count - 1, 1)


@contextmanager
def inputs_of(layer: nn.Module, wanted: bool) -> Iterator[list[Tensor]]:
    """Collect the inputs of a layer while the block runs, if `wanted`."""
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
    """Copies of the current weights."""
    return [weight.clone() for weight in weights]


@torch.no_grad()
def update_ratio(before: list[Tensor], after: list[Tensor]) -> Tensor:
    """The update-to-weight ratio: the norm of the change over the norm of the weights."""
    distance = nn.utils.get_total_norm(torch._foreach_sub(after, before))
    return distance / nn.utils.get_total_norm(before).clamp(min=1e-12)
