"""The interface of feature networks, and the preparation of images for them."""

from collections.abc import Callable
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

RESIZED = "antialiased bicubic"  # the resizing, which is part of every network's name


class FeatureNetwork(Protocol):
    """A function from images to features; scores are comparable only if `name` is the same."""

    @property
    def name(self) -> str:
        """The network, the layer, and how images are resized."""
        ...

    def features(self, images: Tensor) -> Tensor:
        """(N, D) float32 features of (N, C, H, W) images in [-1, 1]."""
        ...


def in_batches(
    rows: Callable[[Tensor], Tensor], images: Tensor, count: int, device: torch.device
) -> Tensor:
    """The features that `rows` finds in `count` images at once, on a network's device; they come
    back to where the images are."""
    found = [rows(batch.to(device)) for batch in torch.split(images, count)]
    return torch.cat(found).to(images.device)


def prepare(images: Tensor, side: int) -> Tensor:
    """Convert images (N, C, H, W) in [-1, 1] to RGB (N, 3, side, side) in [-1, 1].

    One channel is repeated. A fourth channel is straight alpha, where -1 is transparent; such
    images are composited on white.
    Raises ValueError for another number of channels or dimensions.
    """
    sized = F.interpolate(on_white(images), (side, side), mode="bicubic", antialias=True)
    return sized.clamp(-1, 1)  # bicubic overshoots at edges


def on_white(images: Tensor) -> Tensor:
    """Convert grey, RGB or RGBA images to RGB (N, 3, H, W) in [-1, 1], composited on white.

    Raises ValueError for another number of channels or dimensions.
    """
    if images.ndim != 4 or images.shape[1] not in (1, 3, 4):
        raise ValueError(
            f"images must have shape (N, 1, 3 or 4 channels, H, W), not {tuple(images.shape)}: "
            "give a batch of grey, RGB or RGBA images."
        )
    images = images.float()
    if images.shape[1] < 4:
        return images.expand(-1, 3, -1, -1)
    alpha = (images[:, 3:] + 1) / 2
    return images[:, :3] * alpha + (1 - alpha)
