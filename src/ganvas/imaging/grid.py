"""Many images on one sheet."""

import numpy as np

from ganvas.imaging import Pixels, colour


def grid(images: Pixels, columns: int, gap: int = 2, background: str = "white") -> Pixels:
    """Tile images (count, height, width, 1, 3 or 4) into one (height, width, 3), row by row.

    Transparent images lie on a light checkerboard, so that their transparency can be seen.
    """
    count, height, width, _ = images.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    size = (rows * (height + gap) + gap, columns * (width + gap) + gap, 3)
    sheet = np.empty(size, np.uint8)
    sheet[:] = colour(background)
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        top, left = gap + row * (height + gap), gap + column * (width + gap)
        sheet[top : top + height, left : left + width] = opaque(image)
    return sheet


def opaque(image: Pixels) -> Pixels:
    """An image of 1, 3 or 4 channels with 3, laid on a checkerboard where it is transparent."""
    height, width, channels = image.shape
    if channels < 4:
        return np.broadcast_to(image, (height, width, 3))
    light = (np.indices((height, width)) // max(4, height // 16)).sum(0) % 2
    board = np.where(light, 255, 221)[..., None]
    alpha = image[..., 3:].astype(np.float64) / 255
    return np.rint(image[..., :3] * alpha + board * (1 - alpha)).astype(np.uint8)
