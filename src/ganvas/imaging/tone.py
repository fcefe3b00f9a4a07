"""Convert a decoded image to an upright one in 8-bit sRGB, band by band."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms

from ganvas.imaging.white import white

Box = tuple[int, int, int, int]

ROWS = 2**21  # pixels of a band
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = tuple(TURNS[orientation] for orientation in (5, 6, 7, 8))


class Bands(Protocol):
    """An upright image that can be read in parts: L, RGB, LA or RGBA."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""

    def part(self, box: Box | None = None) -> Image.Image:
        """The part within a box, or the whole image."""


@dataclass(frozen=True)
class Whole:
    """An image that is upright already."""

    image: Image.Image

    @property
    def size(self) -> tuple[int, int]:
        return self.image.size

    def part(self, box: Box | None = None) -> Image.Image:
        return self.image if box is None else self.image.crop(box)


@dataclass(frozen=True)
class Decoded:
    """A decoded image as stored, and the conversion that it needs.

    `alpha` is its transparency if the image itself does not hold it, `white` the value of white in
    grey of more than 8 bits, `profile` the colour transform to sRGB, `turn` the transposition that
    turns it upright.
    """

    image: Image.Image
    alpha: Image.Image | None
    white: float
    profile: ImageCms.ImageCmsTransform | None
    turn: Image.Transpose | None

    @property
    def size(self) -> tuple[int, int]:
        width, height = self.image.size
        return (height, width) if self.turn in SIDEWAYS else (width, height)

    def part(self, box: Box | None = None) -> Image.Image:
        """L, RGB, LA or RGBA; all steps work per pixel, so that parts fit together."""
        image, alpha = self.image, self.alpha
        if box is not None:
            stored = _box_as_stored(box, self.image.size, self.turn)
            image, alpha = image.crop(stored), alpha and alpha.crop(stored)
        tone, alpha = _tone_and_alpha(image, alpha, self.white)
        mode = "L" if tone.mode == "L" else "RGB"
        tone = (self.profile.apply(tone) if self.profile else tone).convert(mode)
        if alpha:
            tone.putalpha(alpha)
        return tone if self.turn is None else tone.transpose(self.turn)


def to_srgb(
    image: Image.Image, alpha: Image.Image | None = None, turn: Image.Transpose | None = None
) -> Decoded:
    """A loaded image with the conversion to upright sRGB that it needs.

    Raises UnreadableImageError for grey values of unknown range.
    """
    key = image.info.get("transparency")
    if _is_deep(image) and isinstance(key, int):
        alpha = _grey_key(image, key)
    top = _white(image) if _is_deep(image) else 255.0
    profile = image.info.get("icc_profile")
    corner = (0, 0, 1, 1)
    mode = _tone_and_alpha(image.crop(corner), alpha and alpha.crop(corner), top)[0].mode
    return Decoded(image, alpha, top, _transform(profile, mode) if profile else None, turn)


def turn_of(image: Image.Image) -> Image.Transpose | None:
    """The transposition that turns an image upright, from its Exif or XMP, without decoding.

    Many valid images have broken Exif: they are shown as stored, as every viewer does.
    """
    try:
        # Not the PNG reader's own `getexif`: it decodes, and its errors would be lost here.
        orientation = Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)
        return TURNS.get(orientation)
    # Pillow raises nearly every class of exception over broken Exif.
    except Exception:
        return None


def whole(source: Bands) -> Image.Image:
    """The whole image at its own size; large ones are assembled from bands."""
    width, height = source.size
    if width * height <= ROWS:
        return source.part()
    step = max(1, ROWS // width)
    first = source.part((0, 0, width, min(step, height)))
    canvas = Image.new(first.mode, (width, height))
    canvas.paste(first, (0, 0))
    for top in range(step, height, step):
        canvas.paste(source.part((0, top, width, min(top + step, height))), (0, top))
    return canvas


def needed_whole(size: tuple[int, int]) -> int:
    """Bytes that `whole` needs beside the image, at most."""
    area = size[0] * size[1]
    return 4 * area + 24 * min(area, max(ROWS, size[0]))


def _box_as_stored(box: Box, size: tuple[int, int], turn: Image.Transpose | None) -> Box:
    """Where a part of the upright image lies in the stored one."""
    left, top, right, bottom = box
    width, height = size
    match turn:
        case Image.Transpose.FLIP_LEFT_RIGHT:
            return width - right, top, width - left, bottom
        case Image.Transpose.ROTATE_180:
            return width - right, height - bottom, width - left, height - top
        case Image.Transpose.FLIP_TOP_BOTTOM:
            return left, height - bottom, right, height - top
        case Image.Transpose.TRANSPOSE:
            return top, left, bottom, right
        case Image.Transpose.ROTATE_270:
            return top, height - right, bottom, height - left
        case Image.Transpose.TRANSVERSE:
            return width - bottom, height - right, width - top, height - left
        case Image.Transpose.ROTATE_90:
            return width - bottom, left, width - top, right
    return box


def _is_deep(image: Image.Image) -> bool:
    return image.mode in ("I", "F") or image.mode.startswith("I;16")


def _tone_and_alpha(
    image: Image.Image, alpha: Image.Image | None, top: float
) -> tuple[Image.Image, Image.Image | None]:
    """The image without transparency, as L, RGB or CMYK with 8 bits, and its alpha if any."""
    if _is_deep(image):
        return _eight_bit(image, top), alpha
    if alpha is None and image.has_transparency_data:
        grey = image.mode in ("1", "L", "LA", "La")
        whole = image.convert("LA" if grey else "RGBA")
        return whole.convert("L" if grey else "RGB"), whole.getchannel("A")
    if image.mode in ("L", "RGB", "CMYK"):
        return image, alpha
    return image.convert("L" if image.mode == "1" else "RGB"), alpha


def _eight_bit(image: Image.Image, top: float) -> Image.Image:
    values = np.asarray(image).astype(np.float32)
    return Image.fromarray(np.rint(values * (255 / top)).clip(0, 255).astype(np.uint8))


def _white(image: Image.Image) -> float:
    kind, bits = {"F": ("f", 32), "I": ("i", 32)}.get(image.mode, ("u", 16))
    low, high = np.inf, -np.inf
    for values in _arrays(image):
        low, high = min(low, float(values.min())), max(high, float(values.max()))
        if np.isnan(values.max()):
            low = high = np.nan
            break
    return white(kind, bits, low, high)


def _grey_key(image: Image.Image, key: int) -> Image.Image:
    """Alpha of 16-bit grey in which the value `key` is transparent."""
    parts = [np.where(values == key, 0, 255).astype(np.uint8) for values in _arrays(image)]
    return Image.fromarray(np.concatenate(parts))


def _arrays(image: Image.Image) -> Iterator[NDArray[Any]]:
    step = max(1, ROWS // image.width)
    for top in range(0, image.height, step):
        yield np.asarray(image.crop((0, top, image.width, min(top + step, image.height))))


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform from an ICC profile to sRGB; None if the profile cannot be used.

    A profile that is broken, or made for another kind of image, is ignored, as browsers do.
    """
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except MemoryError:
        raise
    # LittleCMS and Pillow raise nearly every class of exception over broken profiles.
    except Exception:
        return None
