"""Write pictures, sheets of many, and films; what is written is there whole or not at all."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from ganvas.images import Pixels, colour


def write_png(path: Path, picture: Pixels, facts: Mapping[str, str]) -> None:
    """Write a picture (height, width[, 1, 3 or 4]) with facts about it as text, all or nothing."""
    chunks = PngImagePlugin.PngInfo()
    for name, fact in facts.items():
        chunks.add_text(name, fact)
    with _replacing(path) as temporary:
        _image(picture).save(temporary, "PNG", pnginfo=chunks)


def write_gif(path: Path, frames: Pixels, milliseconds: int) -> None:
    """Write pictures (count, height, width, channels) as an endless film, all or nothing."""
    first, *others = [_image(_opaque(frame)) for frame in frames]
    with _replacing(path) as temporary:
        first.save(
            temporary, "GIF", save_all=True, append_images=others, duration=milliseconds, loop=0
        )


def grid(pictures: Pixels, columns: int, gap: int = 2, background: str = "white") -> Pixels:
    """Tile pictures (count, height, width, 1, 3 or 4) into one (height, width, 3), row by row.

    Transparent pictures lie on a light checkerboard, so that their transparency can be seen.
    """
    count, height, width, _ = pictures.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    size = (rows * (height + gap) + gap, columns * (width + gap) + gap, 3)
    sheet = np.empty(size, np.uint8)
    sheet[:] = colour(background)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        top, left = gap + row * (height + gap), gap + column * (width + gap)
        sheet[top : top + height, left : left + width] = _opaque(picture)
    return sheet


def _opaque(picture: Pixels) -> Pixels:
    """A picture of 1, 3 or 4 channels with 3, laid on a checkerboard where it is transparent."""
    height, width, channels = picture.shape
    if channels < 4:
        return np.broadcast_to(picture, (height, width, 3))
    light = (np.indices((height, width)) // max(4, height // 16)).sum(0) % 2
    board = np.where(light, 255, 221)[..., None]
    alpha = picture[..., 3:].astype(np.float64) / 255
    return np.rint(picture[..., :3] * alpha + board * (1 - alpha)).astype(np.uint8)


def _image(picture: Pixels) -> Image.Image:
    single = picture.ndim == 3 and picture.shape[2] == 1
    return Image.fromarray(np.ascontiguousarray(picture[..., 0] if single else picture))


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A temporary name that becomes `path` at the end, and vanishes when something goes wrong."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
