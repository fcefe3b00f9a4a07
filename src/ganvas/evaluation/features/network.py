"""The numbers that a picture is compared by, and how pictures are brought before a network."""

from typing import Protocol

import torch.nn.functional as F
from torch import Tensor

RESIZED = "antialiased bicubic"  # how, in every network's name


class FeatureNetwork(Protocol):
    """Whatever turns pictures into features; numbers compare only when `name` is the same."""

    @property
    def name(self) -> str:
        """The network, the layer, and how pictures are brought to its size."""
        ...

    def features(self, pictures: Tensor) -> Tensor:
        """(N, D) float32 features of (N, C, H, W) pictures in [-1, 1]."""
        ...


def prepared(pictures: Tensor, side: int) -> Tensor:
    """Pictures (N, C, H, W) in [-1, 1] as most networks want them: (N, 3, side, side) in [-1, 1].

    One channel is repeated; a fourth channel is straight alpha, -1 transparent, laid on white.
    Raises ValueError for another number of channels or dimensions.
    """
    sized = F.interpolate(on_white(pictures), (side, side), mode="bicubic", antialias=True)
    return sized.clamp(-1, 1)  # bicubic overshoots at edges


def on_white(pictures: Tensor) -> Tensor:
    """RGB (N, 3, H, W) in [-1, 1] of grey, RGB or RGBA pictures, transparency laid on white.

    Raises ValueError for another number of channels or dimensions.
    """
    if pictures.ndim != 4 or pictures.shape[1] not in (1, 3, 4):
        raise ValueError(
            f"pictures must have shape (N, 1, 3 or 4 channels, H, W), not {tuple(pictures.shape)}: "
            "give a batch of grey, RGB or RGBA pictures."
        )
    pictures = pictures.float()
    if pictures.shape[1] < 4:
        return pictures.expand(-1, 3, -1, -1)
    alpha = (pictures[:, 3:] + 1) / 2
    return pictures[:, :3] * alpha + (1 - alpha)
