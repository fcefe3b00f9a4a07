"""Transparent images as networks see them, and as people do.

Networks see colours multiplied by their alpha: then nothing jumps where an image ends, and what
cannot be seen is one colour. People want colours as they are, and nothing half transparent that
should not be: alpha near its ends is taken for them.
"""

import torch
from torch import Tensor

COLOURS = 3  # channels before alpha
NEAR = 0.03  # alpha within this of nothing or all, from 0 to 1, is nothing or all
LEAST = 0.5 / 255  # of alpha: less is nothing when a file is written


def premultiplied(images: Tensor) -> Tensor:
    """Images (N, 4, H, W) in [-1, 1] with colours multiplied by alpha; others as they are."""
    if images.shape[1] != COLOURS + 1:
        return images
    colours, alpha = _parts(images)
    return torch.cat([colours * alpha, alpha], 1) * 2 - 1


def straight(images: Tensor) -> Tensor:
    """The way back, with clean alpha, for images (N, 4, H, W); others as they are."""
    if images.shape[1] != COLOURS + 1:
        return images
    colours, alpha = _parts(images)
    clean = ((alpha - NEAR) / (1 - 2 * NEAR)).clamp(0, 1)
    seen = (colours / alpha.clamp(min=NEAR)).clamp(0, 1) * (clean > LEAST)
    return torch.cat([seen, clean], 1) * 2 - 1


def _parts(images: Tensor) -> tuple[Tensor, Tensor]:
    """Colours and alpha from 0 to 1."""
    from_nought = (images + 1) / 2
    return from_nought[:, :COLOURS], from_nought[:, COLOURS:]
