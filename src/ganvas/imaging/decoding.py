"""From the bytes of a file to an image, or the reason why it cannot be one."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from PIL import Image

from ganvas.imaging.errors import UnreadableImageError
from ganvas.imaging.frame import Frame, Pixels
from ganvas.imaging.opening import open_image
from ganvas.imaging.quiet import quiet_pillow
from ganvas.imaging.reasons import refusal
from ganvas.imaging.resize import brought, fit
from ganvas.imaging.tone import to_srgb, turn_of, whole

Result = TypeVar("Result")

MAX_PIXELS = 178_000_000  # just below Pillow's own limit, so that ours is reached first
MAX_BYTES = 256 * 2**20


def decode(data: bytes, frame: Frame) -> Pixels:
    """The image in a file's bytes, brought to `frame`; raises nothing but UnreadableImageError."""

    def work() -> Pixels:
        with open_image(data, frame, MAX_PIXELS) as image:
            return brought(image, frame)

    return _or_refuse(data, work)


def upright(data: bytes) -> Image.Image:
    """The first image in a file's bytes, upright and in sRGB: L, RGB, LA or RGBA.

    Raises UnreadableImageError and nothing else.
    """

    def work() -> Image.Image:
        with open_image(data, None, MAX_PIXELS) as image:
            return whole(image)

    return _or_refuse(data, work)


def turned_upright(image: Image.Image) -> Image.Image:
    """An open image, upright and in sRGB: L, RGB, LA or RGBA.

    Raises UnreadableImageError and nothing else.
    """

    def work() -> Image.Image:
        image.load()
        return whole(to_srgb(image, None, turn_of(image)))

    return _refusing(b"", work)


def read(path: Path, frame: Frame | None = None) -> Pixels:
    """The image in a file, brought to `frame`, else at its own size with 3 channels on white.

    Raises UnreadableImageError; its message then begins with the path.
    """
    with _naming(path):
        data = read_bytes(path)
        if frame:
            return decode(data, frame)
        image = upright(data)
    return fit(image, Frame(image.height, image.width))


def read_upright(path: Path) -> Image.Image:
    """The image in a file, as `upright` gives it.

    Raises UnreadableImageError; its message then begins with the path.
    """
    with _naming(path):
        return upright(read_bytes(path))


def read_bytes(path: Path) -> bytes:
    """The bytes of a file; raises UnreadableImageError if it is too large or cannot be opened."""
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise UnreadableImageError("is not a file but a pipe, a socket or a device")
        with path.open("rb") as file:
            check_bytes(os.fstat(file.fileno()).st_size)
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableImageError(f"cannot be opened ({error.strerror})") from error


def check_bytes(size: int) -> None:
    """Raise UnreadableImageError for a file that is too large to be one image."""
    if size > MAX_BYTES:
        limit = f"more than the limit of {MAX_BYTES // 10**6} MB"
        raise UnreadableImageError(f"has {size // 10**6} MB, {limit}")


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except UnreadableImageError as error:
        raise type(error)(f"{path} {error}") from error


def _or_refuse(data: bytes, work: Callable[[], Result]) -> Result:
    if not data:
        raise UnreadableImageError("is empty (0 bytes)")
    check_bytes(len(data))
    return _refusing(data, work)


def _refusing(data: bytes, work: Callable[[], Result]) -> Result:
    """The result of `work`, with every error turned into an UnreadableImageError."""
    try:
        with quiet_pillow:
            return work()
    except UnreadableImageError:
        raise
    # Damaged files make Pillow raise nearly every class of exception, MemoryError included.
    except Exception as error:
        raise refusal(error, data, MAX_PIXELS) from error
