"""Style mixing: the coarse layers of one image and the fine layers of another.

A Style-Based Generator Architecture for Generative Adversarial Networks (Karras, Laine and Aila,
2019), section 3.1: coarse styles carry pose and shape, fine ones colour and texture.
"""

from torch import Tensor


def cross(rows: Tensor, columns: Tensor, layers: range) -> Tensor:
    """Mix styles to (R, C, layers, size): those of `rows` (R, layers, size), with `layers` taken
    from `columns` (C, layers, size).

    Raises ValueError for layers out of range.
    """
    if layers.start < 0 or layers.stop > rows.shape[1] or not layers:
        raise ValueError(f"layers are 0 to {rows.shape[1] - 1}")
    table = rows[:, None].repeat(1, len(columns), 1, 1)
    table[:, :, layers.start : layers.stop] = columns[None, :, layers.start : layers.stop]
    return table
