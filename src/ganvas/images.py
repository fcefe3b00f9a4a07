"""Read, orient and resize pictures.

A picture file becomes an upright 8-bit sRGB picture (`upright`), and that becomes an array of a
wanted size and number of channels (`fitted`); `decode` does both. Arrays are uint8, height x width
x channels. Resizing always uses Lanczos with antialiasing, on premultiplied alpha.
"""

import importlib
import os
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageColor, UnidentifiedImageError

from ganvas.errors import GanvasError

Result = TypeVar("Result")
Pixels = NDArray[np.uint8]
Fit = Literal["crop", "pad", "stretch"]
Colour = tuple[int, int, int]

# Formats in which people keep pictures. Pillow reads dozens more, where its holes are found.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
MAX_PIXELS = 178_000_000  # just below Pillow's own limit, so that ours is the one that is met
MAX_BYTES = 256 * 2**20

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_LOOKS_LIKE = (
    (0, b"\xff\xd8\xff", "a damaged JPEG picture"),
    (0, b"\x89PNG", "a damaged PNG picture"),
    (8, b"WEBP", "a damaged WebP picture"),
    (0, b"GIF8", "a damaged GIF picture"),
    (0, b"BM", "a damaged BMP picture"),
    (0, b"II*\0", "a damaged TIFF picture"),
    (0, b"MM\0*", "a damaged TIFF picture"),
    (4, b"ftypavi", "a damaged AVIF picture, or Pillow was built without AVIF"),
    (4, b"ftyphei", "a HEIC picture, which needs `pip install pillow-heif`"),
    (4, b"ftypmif1", "a HEIC picture, which needs `pip install pillow-heif`"),
    (4, b"ftyp", "a film"),
    (4, b"jP  ", "a JPEG 2000 picture: save it as PNG"),
    (0, b"8BPS", "a Photoshop document: save it as PNG"),
    (0, b"\0\0\1\0", "an icon: save it as PNG"),
    (0, b"%PDF", "a PDF document"),
    (0, b"%!PS", "a PostScript document"),
    (0, b"PK\3\4", "a ZIP archive or an office document"),
    (0, b"\x1f\x8b", "a compressed file"),
    (0, b"\x1aE\xdf\xa3", "a film"),
    (8, b"AVI ", "a film"),
    (8, b"WAVE", "a sound"),
    (0, b"ID3", "a sound"),
)

_SIDEWAYS = tuple(_TURNS[orientation] for orientation in (5, 6, 7, 8))
_REDUCING_GAP = 3.0  # large pictures are first halved quickly, down to three times what is needed


class UnreadablePictureError(GanvasError, ValueError):
    """A file that cannot be used as a picture; the message is the reason: "is truncated"."""


@dataclass(frozen=True)
class Frame:
    """The size and form that pictures are brought to.

    `fit` says what happens to another shape: `crop` keeps the largest centred area, `pad` adds
    borders of `background` (transparent ones when there are 4 channels), `stretch` distorts.
    1 channel is luminance; with 1 or 3 channels transparent pictures are laid on `background`,
    and ValueError is raised when that is no colour.
    """

    height: int
    width: int
    channels: int = 3
    fit: Fit = "crop"
    background: str = "white"

    def __post_init__(self) -> None:
        colour(self.background)


def colour(name: str) -> Colour:
    """Red, green, blue of "white" or "#ffcc00"; raises ValueError when it is no opaque colour."""
    with suppress(ValueError):
        values = ImageColor.getrgb(name)
        if len(values) == 3:
            return values
    raise ValueError(f"background must be a colour such as white or #ffcc00, not {name!r}")


def decode(data: bytes, frame: Frame) -> Pixels:
    """The picture in a file's bytes, brought to `frame`; raises UnreadablePictureError alone."""
    return _or_refuse(data, lambda: fitted(_decoded(data, frame), frame))


def read(path: Path, frame: Frame | None = None) -> Pixels:
    """The picture in a file, brought to `frame`, else at its own size with 3 channels on white.

    Raises UnreadablePictureError; its message then begins with the path.
    """
    with _naming(path):
        data = read_bytes(path)
        if frame:
            return decode(data, frame)
        picture = upright(data)
    return fitted(picture, Frame(picture.height, picture.width))


def read_upright(path: Path) -> Image.Image:
    """The picture in a file, as `upright` gives it.

    Raises UnreadablePictureError; its message then begins with the path.
    """
    with _naming(path):
        return upright(read_bytes(path))


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except UnreadablePictureError as error:
        raise UnreadablePictureError(f"{path} {error}") from error


def read_bytes(path: Path) -> bytes:
    """The bytes of a file that is small enough; raises UnreadablePictureError."""
    try:
        with path.open("rb") as file:
            check_bytes(os.fstat(file.fileno()).st_size)
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadablePictureError(f"cannot be opened ({error.strerror})") from error


def check_bytes(size: int) -> None:
    """Raises UnreadablePictureError for a file that is too large to be one picture."""
    if size > MAX_BYTES:
        limit = f"more than the limit of {MAX_BYTES // 10**6} MB"
        raise UnreadablePictureError(f"has {size // 10**6} MB, {limit}")


def upright(data: bytes) -> Image.Image:
    """The first picture in a file's bytes, as its camera was held, in sRGB: L, RGB, LA or RGBA.

    Raises UnreadablePictureError and nothing else.
    """
    return _or_refuse(data, lambda: _decoded(data, None))


def fitted(picture: Image.Image, frame: Frame) -> Pixels:
    """A picture of mode L, RGB, LA or RGBA as an array (height, width, channels) of `frame`."""
    if frame.channels == 4:
        picture = picture.convert("RGBA")
    elif picture.mode in ("LA", "RGBA"):
        picture = _on_background(picture, frame.background)
    return _with_channels(_resized(picture, frame), frame.channels)


def _or_refuse(data: bytes, work: Callable[[], Result]) -> Result:
    """What `work` makes of a file; everything that can go wrong becomes its refusal."""
    if not data:
        raise UnreadablePictureError("is empty (0 bytes)")
    check_bytes(len(data))
    try:
        with _quiet_pillow:
            return work()
    except UnreadablePictureError:
        raise
    # Damaged files make Pillow raise nearly every class of exception, MemoryError included.
    except Exception as error:
        raise UnreadablePictureError(_reason(error, data)) from error


def _decoded(data: bytes, frame: Frame | None) -> Image.Image:
    with Image.open(BytesIO(data), formats=_readable_formats()) as picture:
        if (count := picture.width * picture.height) > MAX_PIXELS:
            raise UnreadablePictureError(_too_many_pixels(count))
        if frame:
            picture.draft(picture.mode, _enough(picture, frame))  # JPEG alone has such a shortcut
        return turned_upright(picture)


def turned_upright(picture: Image.Image) -> Image.Image:
    """An open picture as its camera was held, in sRGB: L, RGB, LA or RGBA."""
    picture.load()
    tone, alpha = _tone_and_alpha(picture)
    tone = _in_srgb(tone, picture.info.get("icc_profile"))
    turn = _turn(picture)  # only now: a TIFF turns itself while it loads
    if alpha:
        tone.putalpha(alpha)
    return tone if turn is None else tone.transpose(turn)


@lru_cache(maxsize=1)
def _readable_formats() -> tuple[str, ...]:
    Image.init()
    with suppress(ImportError):  # an optional package, for the photographs of iPhones
        importlib.import_module("pillow_heif").register_heif_opener()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _too_many_pixels(count: int) -> str:
    limit = f"more than the limit of {MAX_PIXELS // 10**6} million"
    return f"has {count // 10**6} million pixels, {limit}"


def _enough(picture: Image.Image, frame: Frame) -> tuple[int, int]:
    """A smaller size that will do: twice what the frame needs, so that nobody sees a difference."""
    turned = _turn(picture) in _SIDEWAYS
    across, down = (frame.height, frame.width) if turned else (frame.width, frame.height)
    ratios = across / picture.width, down / picture.height
    scale = 2 * (min(ratios) if frame.fit == "pad" else max(ratios))
    return max(1, round(picture.width * scale)), max(1, round(picture.height * scale))


def _turn(picture: Image.Image) -> Image.Transpose | None:
    try:
        return _TURNS.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    # Broken EXIF surrounds many sound pictures: show them as stored, as every viewer does.
    except Exception:
        return None


def _tone_and_alpha(picture: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The picture without transparency, as L, RGB or CMYK with 8 bits, and its alpha if any."""
    if picture.has_transparency_data:
        grey = picture.mode in ("1", "L", "LA", "La", "I", "I;16")
        whole = picture.convert("LA" if grey else "RGBA")
        return whole.convert("L" if grey else "RGB"), whole.getchannel("A")
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return _eight_bit(picture), None
    if picture.mode in ("L", "RGB", "CMYK"):
        return picture, None
    return picture.convert("L" if picture.mode == "1" else "RGB"), None


def _eight_bit(picture: Image.Image) -> Image.Image:
    """Grey of 16 bits (0…65535) or floats (0…1, or 0…255) as 8 bits; other ranges are refused."""
    values = np.asarray(picture).astype(np.float32)
    low, high = float(values.min()), float(values.max())
    top = 65535.0 if picture.mode != "F" else 1.0 if high <= 1 else 255.0
    if not 0 <= low <= high <= top:
        wanted = "0…65535" if picture.mode != "F" else "0…1 or 0…255"
        raise UnreadablePictureError(
            f"has grey values from {low:g} to {high:g} instead of {wanted}"
        )
    return Image.fromarray(np.rint(values * (255 / top)).astype(np.uint8))


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture with the colours that its ICC profile means, as L or RGB."""
    mode = "L" if picture.mode == "L" else "RGB"
    # A profile that is broken, or made for another kind of picture, tells nothing about the pixels:
    # without it the picture is still good, and browsers show it the same way.
    with suppress(Exception):
        if profile:
            picture = _transform(profile, picture.mode).apply(picture)
    return picture.convert(mode)


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform:
    source = ImageCms.ImageCmsProfile(BytesIO(profile))
    return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")


def _on_background(picture: Image.Image, background: str) -> Image.Image:
    ground = Image.new("RGB", picture.size, colour(background))
    return Image.composite(picture.convert("RGB"), ground, picture.getchannel("A"))


def _resized(picture: Image.Image, frame: Frame) -> Image.Image:
    width, height = frame.width, frame.height
    if frame.fit == "pad":
        return _padded(picture, frame)
    box = _centre(picture.size, frame) if frame.fit == "crop" else None
    return picture.resize((width, height), Image.Resampling.LANCZOS, box, _REDUCING_GAP)


def _centre(size: tuple[int, int], frame: Frame) -> tuple[float, float, float, float]:
    """The largest centred area with the aspect of the frame: left, top, right, bottom."""
    scale = min(size[0] / frame.width, size[1] / frame.height)
    # Rounding may lead outside the picture by the last bit, and Pillow would then refuse it.
    left = max(0.0, (size[0] - frame.width * scale) / 2)
    top = max(0.0, (size[1] - frame.height * scale) / 2)
    return left, top, size[0] - left, size[1] - top


def _padded(picture: Image.Image, frame: Frame) -> Image.Image:
    scale = min(frame.width / picture.width, frame.height / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    inner = picture.resize(size, Image.Resampling.LANCZOS, None, _REDUCING_GAP)
    ground = (0, 0, 0, 0) if inner.mode == "RGBA" else colour(frame.background)
    mode = "RGBA" if inner.mode == "RGBA" else "RGB"
    canvas = Image.new(mode, (frame.width, frame.height), ground)
    canvas.paste(inner, ((frame.width - size[0]) // 2, (frame.height - size[1]) // 2))
    return canvas


def _with_channels(picture: Image.Image, channels: int) -> Pixels:
    array = np.array(picture.convert({1: "L", 3: "RGB", 4: "RGBA"}[channels]))
    if channels == 4:
        array[array[..., 3] == 0] = 0  # what cannot be seen must not differ
    return array.reshape(*array.shape[:2], channels)


def _reason(error: Exception, data: bytes) -> str:
    """Why Pillow gave up, in words for the owner of the file."""
    if isinstance(error, Image.DecompressionBombError):
        return _too_many_pixels(int("".join(re.findall(r"\((\d+) pixels\)", str(error))) or 0))
    if isinstance(error, UnidentifiedImageError):
        return f"is not a picture that can be read (looks like {looks_like(data)})"
    if isinstance(error, MemoryError):
        return "needs more memory than there is"
    if isinstance(error, EOFError) or "truncated" in str(error).lower():
        return "is truncated"
    return f"is damaged ({str(error) or type(error).__name__})"


def looks_like(data: bytes) -> str:
    """What kind of file begins like this, in words."""
    for start, mark, words in _LOOKS_LIKE:
        if data[start:].startswith(mark):
            return words
    return "text" if _is_text(data[:1024]) else "unknown data"


def _is_text(data: bytes) -> bool:
    return all(byte >= 32 or byte in b"\t\n\r\f\x1b" for byte in data)


class _QuietPillow:
    """While someone reads, nobody sees Pillow's warnings: a file is good, or refused with a reason.

    `warnings.catch_warnings` alone breaks when threads overlap, so the first reader enters it and
    the last one leaves it.
    """

    def __init__(self) -> None:
        self._lock, self._readers = threading.Lock(), 0
        self._caught = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if not self._readers:
                self._caught.enter_context(warnings.catch_warnings())
                warnings.filterwarnings("ignore", module=r"PIL\b")
            self._readers += 1

    def __exit__(self, *problem: object) -> None:
        with self._lock:
            self._readers -= 1
            if not self._readers:
                self._caught.close()


_quiet_pillow = _QuietPillow()
