"""Films: GIF with what is always there, MP4 with PyAV, an optional extra."""

from fractions import Fraction
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from ganvas.errors import GanvasError
from ganvas.runtime.atomic import check_file, replacing
from ganvas.sheets import check_place, opaque, write_gif

FORMATS = (".mp4", ".gif")
CODEC, QUALITY = "libx264", "18"  # constant rate factor: hardly to be told from the original


class FilmError(GanvasError, ValueError):
    """A film that cannot be written; the message says what to do."""


def check_film(path: Path) -> None:
    """Raises FilmError or PlaceError, before any work, unless such a film can be written."""
    if path.suffix.lower() not in FORMATS:
        raise FilmError(f"{path.name} is no film; --out ends with .mp4 or .gif.")
    if path.suffix.lower() == ".mp4":
        _av()
        check_file(path)
    else:
        check_place(path)


def write_film(path: Path, frames: NDArray[np.uint8], rate: int) -> None:
    """Write frames (count, H, W, 1, 3 or 4), `rate` a second, as the name ends, all or nothing."""
    if path.suffix.lower() == ".gif":
        write_gif(path, frames, 1000 / rate)
        return
    with replacing(path) as temporary:
        _write_mp4(temporary, [_even(opaque(frame)) for frame in frames], rate)


def _write_mp4(path: Path, frames: list[NDArray[np.uint8]], rate: int) -> None:
    av = _av()
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream(CODEC, rate=Fraction(rate))
        stream.pix_fmt, stream.options = "yuv420p", {"crf": QUALITY}
        stream.height, stream.width = frames[0].shape[:2]
        for pixels in frames:
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _even(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """With even sides, as yuv420p wants them: the last row or column once more where it is odd."""
    height, width = pixels.shape[:2]
    grown = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(grown)


def _av() -> ModuleType:
    try:
        return import_module("av")
    except ImportError:
        raise FilmError(
            "an .mp4 needs PyAV, which is not installed: pip install 'ganvas[video]', "
            "or end --out with .gif."
        ) from None
