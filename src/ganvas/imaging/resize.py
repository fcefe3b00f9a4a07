"""Bring an upright image to a frame: Lanczos with antialiasing, on premultiplied alpha.

Large images are first reduced by integer factors, down to three times the needed size. This is done
in bands, so that only the reduced image is held beside the original. The result is the same, byte
for byte, as if Pillow had processed the whole image at once.
"""

import math

import numpy as np
from PIL import Image

from ganvas.imaging.frame import Frame, Pixels, colour
from ganvas.imaging.tone import ROWS, Bands, Whole, whole

FBox = tuple[float, float, float, float]

LARGE = 2**22  # pixels; smaller images are processed in one piece
_GAP = 3.0  # Pillow's reducing_gap: how much larger than needed a reduced image stays
_SUPPORT = 3.0  # pixels on each side in the support of the Lanczos filter
_AT_ONCE = 24  # bytes per pixel during processing, copies included
_CHANNELS = {1: "L", 3: "RGB", 4: "RGBA"}


def fit(image: Image.Image, frame: Frame) -> Pixels:
    """An image of mode L, RGB, LA or RGBA as an array (height, width, channels) of `frame`."""
    return brought(Whole(image), frame)


def brought(source: Bands, frame: Frame) -> Pixels:
    """An upright image as an array (height, width, channels) of `frame`."""
    size, box = _inside(source.size, frame)
    if size == source.size and box == (0, 0, *size):
        image = _prepare(whole(source), frame)
    elif is_banded(source.size):
        image = _reduce(source, frame, size, box)
    else:
        image = _prepare(source.part(), frame)
        image = image.resize(size, Image.Resampling.LANCZOS, box, _GAP)
    return _with_channels(_pad(image, frame), frame.channels)


def is_banded(size: tuple[int, int]) -> bool:
    """Whether an image of this size is processed in bands."""
    return size[0] * size[1] > LARGE


def bytes_needed(size: tuple[int, int], frame: Frame) -> int:
    """Bytes that `brought` needs beside the image, at most."""
    area = size[0] * size[1]
    if not is_banded(size):
        return _AT_ONCE * area
    across, down = _factors(*_inside(size, frame))
    reduced = -(-size[0] // across) * -(-size[1] // down)
    return 8 * reduced + _AT_ONCE * min(area, max(ROWS, size[0] * down))


def _inside(size: tuple[int, int], frame: Frame) -> tuple[tuple[int, int], FBox]:
    """The size that an image is resized to, and the part of it that is used."""
    everything = 0.0, 0.0, float(size[0]), float(size[1])
    if frame.fit == "pad":
        scale = min(frame.width / size[0], frame.height / size[1])
        return (max(1, round(size[0] * scale)), max(1, round(size[1] * scale))), everything
    box = _centre(size, frame) if frame.fit == "crop" else everything
    return (frame.width, frame.height), box


def _centre(size: tuple[int, int], frame: Frame) -> FBox:
    """The largest centred area with the aspect of the frame: left, top, right, bottom."""
    scale = min(size[0] / frame.width, size[1] / frame.height)
    # Rounding could place the box outside the image by the last bit, which Pillow rejects.
    left = max(0.0, (size[0] - frame.width * scale) / 2)
    top = max(0.0, (size[1] - frame.height * scale) / 2)
    return left, top, size[0] - left, size[1] - top


def _prepare(image: Image.Image, frame: Frame) -> Image.Image:
    if frame.channels == 4:
        return image.convert("RGBA")
    if image.mode in ("LA", "RGBA"):
        ground = Image.new("RGB", image.size, colour(frame.background))
        return Image.composite(image.convert("RGB"), ground, image.getchannel("A"))
    return image


def _factors(size: tuple[int, int], box: FBox) -> tuple[int, int]:
    """Integer factors by which Pillow first reduces an image."""
    return (
        int((box[2] - box[0]) / size[0] / _GAP) or 1,
        int((box[3] - box[1]) / size[1] / _GAP) or 1,
    )


def _reduce(source: Bands, frame: Frame, size: tuple[int, int], box: FBox) -> Image.Image:
    """The result of `Image.resize`, from bands that are reduced one by one."""
    across, down = _factors(size, box)
    left, top, right, bottom = (0, 0, *source.size)
    if (across, down) != (1, 1):
        left, top, right, bottom = _reach(source.size, size, box)
    canvas: Image.Image | None = None
    step = down * max(1, ROWS // ((right - left) * down))
    for start in range(top, bottom, step):
        part = source.part((left, start, right, min(start + step, bottom)))
        part = _prepare(part, frame)
        if part.mode == "RGBA":
            part = part.convert("RGBa")
        part = part.reduce((across, down))
        if canvas is None:
            rows = -(-(bottom - top) // down)
            canvas = Image.new(part.mode, (part.width, rows))
        canvas.paste(part, (0, (start - top) // down))
    assert canvas is not None  # an image has rows
    inner = (
        (box[0] - left) / across,
        (box[1] - top) / down,
        (box[2] - left) / across,
        (box[3] - top) / down,
    )
    small = canvas.resize(size, Image.Resampling.LANCZOS, inner)
    return small.convert("RGBA") if small.mode == "RGBa" else small


def _reach(full: tuple[int, int], size: tuple[int, int], box: FBox) -> tuple[int, int, int, int]:
    """The part of an image in the support of the Lanczos filter, as Pillow computes it."""
    across = (_SUPPORT - 0.5) * (box[2] - box[0]) / size[0]
    down = (_SUPPORT - 0.5) * (box[3] - box[1]) / size[1]
    return (
        max(0, int(box[0] - across)),
        max(0, int(box[1] - down)),
        min(full[0], math.ceil(box[2] + across)),
        min(full[1], math.ceil(box[3] + down)),
    )


def _pad(image: Image.Image, frame: Frame) -> Image.Image:
    if frame.fit != "pad":
        return image
    ground = (0, 0, 0, 0) if image.mode == "RGBA" else colour(frame.background)
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    canvas = Image.new(mode, (frame.width, frame.height), ground)
    place = (frame.width - image.width) // 2, (frame.height - image.height) // 2
    canvas.paste(image, place)
    return canvas


def _with_channels(image: Image.Image, channels: int) -> Pixels:
    array = np.array(image.convert(_CHANNELS[channels]))
    if channels == 4:
        array[array[..., 3] == 0] = 0  # all invisible pixels are equal
    return array.reshape(*array.shape[:2], channels)
