"""Convert between uint8 images and the float tensors that networks use."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


def to_bytes(images: Tensor) -> NDArray[np.uint8]:
    """Float (N, C, H, W) in [-1, 1] to uint8 (N, H, W, C)."""
    scaled = images.add(1.0).mul(127.5).round_().clamp_(0, 255)
    return scaled.byte().permute(0, 2, 3, 1).contiguous().cpu().numpy()


def to_floats(images: Tensor) -> Tensor:
    """uint8 (N, H, W, C) to float (N, C, H, W) in [-1, 1]."""
    return images.permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)
