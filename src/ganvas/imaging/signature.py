"""A signature in a corner of an image."""

from typing import Literal, get_args

import numpy as np
from PIL import Image

Corner = Literal["bottom-right", "bottom-left", "top-right", "top-left"]
CORNERS: tuple[Corner, ...] = get_args(Corner)
MARGIN = 0.03  # of the shorter side, from the edges of the image


def signed(
    image: Image.Image,
    signature: Image.Image,
    corner: Corner = "bottom-right",
    size: float = 0.2,
    opacity: float = 0.8,
) -> Image.Image:
    """A copy of an image with a signature in a corner.

    Args:
        image: upright, in any 8-bit mode, which the copy keeps if it has colour.
        signature: with transparency; an opaque one is taken for ink on white paper.
        corner: where it stands.
        size: its width as a share of the image's, in (0, 1]; it never fills more than the image.
        opacity: in (0, 1].
    """
    canvas = image.convert("RGBA")
    mark = _ink(signature)
    margin = round(MARGIN * min(canvas.size))
    room = [max(1, side - 2 * margin) for side in canvas.size]
    width = min(room[0], max(1, round(size * canvas.width)))
    height = max(1, round(width * mark.height / mark.width))
    if height > room[1]:
        width, height = max(1, round(width * room[1] / height)), room[1]
    # Premultiplied, so that colours of transparent pixels do not bleed into the edges; a filter
    # without negative weights, so that ink has no rim.
    mark = mark.convert("RGBa").resize((width, height), Image.Resampling.HAMMING).convert("RGBA")
    mark.putalpha(mark.getchannel("A").point(lambda alpha: round(alpha * opacity)))
    left = margin if corner.endswith("left") else canvas.width - margin - width
    top = margin if corner.startswith("top") else canvas.height - margin - height
    canvas.alpha_composite(mark, (left, top))
    return canvas if _has_alpha(image) else canvas.convert("RGB")


def _ink(signature: Image.Image) -> Image.Image:
    """A signature with transparency: of ink on white paper, the paper is transparent."""
    if _has_alpha(signature):
        return signature.convert("RGBA")
    colours = np.asarray(signature.convert("RGB"), np.float32) / 255
    alpha = 1 - colours.min(2, keepdims=True)
    ink = (colours - (1 - alpha)) / np.maximum(alpha, 1 / 255)
    whole = np.concatenate([ink, alpha], 2).clip(0, 1)
    return Image.fromarray((255 * whole).round().astype(np.uint8), "RGBA")


def _has_alpha(image: Image.Image) -> bool:
    return "A" in image.getbands() or "transparency" in image.info
