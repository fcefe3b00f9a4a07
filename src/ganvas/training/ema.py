"""The averaged generator (EMA), which is the one that is sampled, evaluated and exported.

Averaging weights over training was brought to GANs by Yazici et al. (2019). Here the half-life is a
share of the images seen so far, close to the power-function average of Karras et al. (2024). The
average is useful from the first step, and needs no tuning to the length of a run.
"""

import torch
from torch import nn


def decay(share: float, images: int, batch: int) -> float:
    """The decay of the average, in [0, 1), in a step of `batch` images after `images` seen.

    `share` is the half-life as a fraction of the images seen; 0 means no averaging.
    """
    half_life = share * images
    return 0.0 if half_life <= 0 else 0.5 ** (batch / half_life)


@torch.no_grad()
def update(average: nn.Module, current: nn.Module, kept: float) -> None:
    """Update `average` in place to kept * average + (1 - kept) * current."""
    mine, theirs = _tensors(average), _tensors(current)
    torch._foreach_lerp_(mine, theirs, 1.0 - kept)


def _tensors(module: nn.Module) -> list[torch.Tensor]:
    """Parameters and floating-point buffers: running statistics must be averaged too."""
    buffers = [b for b in module.buffers() if b.is_floating_point()]
    return [p.detach() for p in module.parameters()] + buffers
