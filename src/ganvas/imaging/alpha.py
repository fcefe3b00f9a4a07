"""Convert transparent images between premultiplied alpha, for networks, and straight alpha.

Networks see colours multiplied by alpha: values are then continuous at the edges of an object, and
invisible pixels all have one colour. Files hold straight colours, with alpha near 0 or 1 rounded to
0 or 1, so that nothing is slightly transparent by accident.
"""

import torch
from torch import Tensor

COLOURS = 3  # channels before alpha
NEAR = 0.03  # alpha within this distance of 0 or 1 is rounded to 0 or 1
LEAST = 0.5 / 255  # alpha up to this is 0 in a file


def premultiplied(images: Tensor) -> Tensor:
    """Images (N, 4, H, W) in [-1, 1] with colours multiplied by alpha; others as they are."""
    if images.shape[1] != COLOURS + 1:
        return images
    colours, alpha = _parts(images)
    return torch.cat([colours * alpha, alpha], 1) * 2 - 1


def straight(images: Tensor) -> Tensor:
    """Undo `premultiplied` and clean alpha, for images (N, 4, H, W); others as they are."""
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
