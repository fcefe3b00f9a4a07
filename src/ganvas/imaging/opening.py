"""Open an image file within the available memory: choose decoder and size, and check the result."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial
from io import BytesIO
from typing import Any

from PIL import Image, UnidentifiedImageError

from ganvas.imaging import budget, jpeg, png, resize, tiff, tiff_samples, webp
from ganvas.imaging.errors import UnreadableImageError
from ganvas.imaging.frame import Frame
from ganvas.imaging.jpeg import Jpeg
from ganvas.imaging.quiet import libtiff_failed, quiet_libtiff
from ganvas.imaging.reasons import too_many_pixels
from ganvas.imaging.tiff_tags import Layout, layout
from ganvas.imaging.tone import SIDEWAYS, TURNS, Decoded, needed_whole, to_srgb, turn_of

# Common image formats. Pillow reads dozens more, in which most of its vulnerabilities are found.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")

Size = tuple[int, int]

_LARGE_DECODERS = ("AVIF", "HEIF")
_MODERN = 12  # bytes per pixel that these decoders and WebP's take beside the image


@dataclass(frozen=True)
class _File:
    """The bytes given to Pillow, and what else is known about the file."""

    data: bytes
    info: dict[str, Any] = field(default_factory=dict)  # Exif, XMP and profile, as Pillow has them
    beside: int = 0  # bytes that its decoder takes beside the image
    check: Callable[[], None] = lambda: None
    completed: Callable[[Image.Image], Image.Image | None] = lambda image: None
    tiff: Layout | None = None
    jpeg: Jpeg | None = None


@contextmanager
def open_image(data: bytes, frame: Frame | None, most: int) -> Iterator[Decoded]:
    """The first image in a file's bytes, decoded at a size that is large enough for `frame`.

    Memory for decoding and for later steps is reserved while the block runs. Without a frame the
    image has its own size, and only the machine's memory limits it. `most` is the largest number
    of pixels. Raises UnreadableImageError, and whatever Pillow raises over a damaged file.
    """
    found = layout(data)
    samples = found is not None and tiff.is_read_by_samples(found, len(data))
    with ExitStack() as held:
        if found and samples:
            yield _from_samples(data, found, frame, most, held)
        else:
            yield _from_pillow(_file(data, found), frame, most, held)


@lru_cache(maxsize=1)
def readable_formats() -> tuple[str, ...]:
    """The entries of FORMATS that this installation can decode."""
    Image.init()
    with suppress(ImportError):  # an optional package, for the photographs of iPhones
        importlib.import_module("pillow_heif").register_heif_opener()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _from_samples(
    data: bytes, found: Layout, frame: Frame | None, most: int, held: ExitStack
) -> Decoded:
    size, turn = (found.width, found.height), TURNS.get(found.orientation)
    _check_pixels(size, most)
    _check_wanted(size, turn, frame)
    _hold(tiff_samples.bytes_needed(found), size, turn, frame, held)
    image = tiff_samples.read(data, found)
    image.info["icc_profile"] = found.profile
    return to_srgb(image, None, turn)


def _from_pillow(file: _File, frame: Frame | None, most: int, held: ExitStack) -> Decoded:
    held.enter_context(quiet_libtiff() if file.tiff else nullcontext())
    if early := webp.size(file.data):  # Pillow may allocate memory before it reports the size
        _check_pixels(early, most)
        _hold(budget.bytes_stored("RGBA", early) + _MODERN * _area(early), early, None, frame, held)
    try:
        opened = Image.open(BytesIO(file.data), formats=readable_formats())
    except UnidentifiedImageError:
        if file.tiff:
            raise tiff.unknown(file.tiff) from None
        raise
    image = held.enter_context(opened)
    _check_pixels(image.size, most)
    file.check()
    image.info.update(file.info)
    # Pillow turns a TIFF upright while it loads.
    turn = None if file.tiff else turn_of(image)
    _check_wanted(image.size, turn, frame)
    asked = None
    if frame and file.jpeg and file.jpeg.reducible:
        asked = _enough(image.size, turn, frame)
        image.draft(image.mode, asked)
    if not early:
        modern = _MODERN * _area(image.size) if image.format in _LARGE_DECODERS else 0
        copies = 2 if file.jpeg else 1
        own = copies * budget.bytes_stored(image.mode, image.size)
        _hold(own + modern + file.beside, image.size, turn, frame, held)
    try:
        image.load()
    except OSError as error:
        if file.jpeg and file.jpeg.lossless and "truncated" not in str(error):
            raise UnreadableImageError(
                "is damaged, or a lossless JPEG image of a kind that cannot be read: save it as PNG"
            ) from error
        raise
    if file.tiff and libtiff_failed():
        raise UnreadableImageError("is damaged (its pixels do not unpack)")
    if file.jpeg:
        jpeg.check_end(image, file.jpeg, asked, readable_formats())
    return to_srgb(image, file.completed(image), turn_of(image))


def _file(data: bytes, found: Layout | None) -> _File:
    """Parse a file of a format for which Pillow's own parsing cannot be trusted."""
    if data.startswith(png.MARK):
        drawing = png.parse(data)
        completed = partial(png.complete, png=drawing, formats=readable_formats())
        check = drawing.check_length
        return _File(drawing.data, drawing.info, drawing.beside, check, completed)
    if data.startswith(jpeg.MARK):
        photograph = jpeg.parse(data)
        beside = photograph.frame.coefficients if photograph.frame else 0
        return _File(photograph.data, {**photograph.info}, beside, jpeg=photograph)
    if found:
        return _File(data, beside=tiff.beside(found), tiff=found)
    return _File(data)


def _hold(
    decoding: int, size: Size, turn: Image.Transpose | None, frame: Frame | None, held: ExitStack
) -> None:
    """Reserve memory for decoding and for what is done with the decoded image afterwards."""
    upright = size[::-1] if turn in SIDEWAYS else size
    after = resize.bytes_needed(upright, frame) if frame else needed_whole(upright)
    held.enter_context(budget.reserved(decoding + after, _area(size), frame is None))


def _check_pixels(size: Size, most: int) -> None:
    if _area(size) > most:
        raise UnreadableImageError(too_many_pixels(_area(size), most))


def _check_wanted(size: Size, turn: Image.Transpose | None, frame: Frame | None) -> None:
    """Raises UnreadableImageError for an image that is too long or too small for the frame."""
    if frame is None:
        return
    width, height = size[::-1] if turn in SIDEWAYS else size
    if frame.most_aspect and max(size) > frame.most_aspect * min(size):
        raise UnreadableImageError(
            f"is left out by --max-aspect {frame.most_aspect:g} ({width}x{height} pixels)"
        )
    if not frame.enlarge and (width < frame.width or height < frame.height):
        raise UnreadableImageError(f"is left out by --ignore-smaller ({width}x{height} pixels)")


def _enough(size: Size, turn: Image.Transpose | None, frame: Frame) -> Size:
    """A smaller size that is enough: twice what the frame needs, without visible difference."""
    sideways = turn in SIDEWAYS
    across, down = (frame.height, frame.width) if sideways else (frame.width, frame.height)
    ratios = across / size[0], down / size[1]
    scale = 2 * (min(ratios) if frame.fit == "pad" else max(ratios))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _area(size: Size) -> int:
    return size[0] * size[1]
