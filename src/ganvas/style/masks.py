"""Masks: where a style applies, as weights at the resolution of every layer."""

import torch
from torch import Tensor
from torch.nn import functional as F

from ganvas.pretrained.vgg19 import stride
from ganvas.style.tiles import Block


class Mask:
    """Weights (H, W) from 0 to 1, averaged over the pixels of each activation.

    Every pixel belongs to one activation of each layer. If a side is no multiple of a layer's
    stride, pooling drops the remainder, and the last activation's receptive field covers it: its
    weight averages its own pixels and the remainder. So the masks of an image's parts add up to 1
    at every activation, a mask that is white everywhere has no effect, and no region is too small,
    or too near an edge, to be seen by a layer.
    """

    def __init__(self, weights: Tensor) -> None:
        self.levels = {1: weights}
        for step in (2, 4, 8, 16):
            self.levels[step] = _means(weights, step)

    @property
    def share(self) -> float:
        """The share of the image that the mask covers."""
        return float(self.levels[1].mean())

    def at(self, layer: str, block: Block) -> Tensor:
        """Weights of a block's own activations (h, w)."""
        step = stride(layer)
        return self.levels[step][block.place(step)]

    def total(self, layer: str) -> float:
        """The sum of all weights."""
        return float(self.levels[stride(layer)].sum())


def _means(weights: Tensor, step: int) -> Tensor:
    """Mean weights (H // step, W // step) of the pixels that belong to each activation."""
    for axis in (0, 1):
        weights = _without_remainder(weights, step, axis)
    return F.avg_pool2d(weights[None, None], step)[0, 0]


def _without_remainder(weights: Tensor, step: int, axis: int) -> Tensor:
    """Weights cut to a multiple of `step`; the last pixels hold the mean over the remainder too."""
    length = weights.shape[axis]
    left_over = length % step
    if not left_over:
        return weights
    start = length - left_over - step
    last = weights.narrow(axis, start, step + left_over).mean(axis, keepdim=True)
    return torch.cat([weights.narrow(axis, 0, start), *[last] * step], axis)
