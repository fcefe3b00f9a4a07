"""Write films: GIF with Pillow, MP4 with PyAV, an optional dependency."""

from fractions import Fraction
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from ganvas.errors import GanvasError
from ganvas.imaging import GENERATED, Pixels
from ganvas.imaging.grid import opaque
from ganvas.imaging.write import as_pillow, check_place
from ganvas.runtime.atomic import check_file, replacing

FORMATS = (".mp4", ".gif")
CODEC, QUALITY = "libx264", "18"  # constant rate factor: visually almost lossless


class FilmError(GanvasError, ValueError):
    """A film that cannot be written; the message says what to do."""


def check_film(path: Path) -> None:
    """Raise FilmError or PlaceError, before any work, if the film cannot be written."""
    if path.suffix.lower() not in FORMATS:
        raise FilmError(f"{path.name}: --out must end with .mp4 or .gif.")
    if path.suffix.lower() == ".mp4":
        _av()
        check_file(path)
    else:
        check_place(path)


def write_film(path: Path, frames: NDArray[np.uint8], rate: int) -> None:
    """Write frames (count, H, W, 1, 3 or 4), `rate` a second, atomically.

    The suffix of the name decides on the format.
    """
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
    """Pad to even sides, as yuv420p requires, by repeating the last row or column."""
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


GIF_SHORTEST = 20  # milliseconds: players show shorter frames at ten frames a second


def write_gif(path: Path, frames: Pixels, milliseconds: float) -> None:
    """Write images (count, height, width, channels) as an endless film, atomically.

    GIF durations are in hundredths of a second, and players show frames shorter than two of these
    for ten. If frames would be too short, some are left out; the film's duration stays the same.
    """
    shown, durations = _frame_times(len(frames), milliseconds)
    first, *others = [as_pillow(opaque(frames[number])) for number in shown]
    with replacing(path) as temporary:
        first.save(
            temporary,
            "GIF",
            save_all=True,
            append_images=others,
            duration=durations,
            loop=0,
            comment=f"{GENERATED}: film".encode(),
        )


def _frame_times(count: int, milliseconds: float) -> tuple[list[int], list[int]]:
    """The indices of the frames that a GIF shows, and the milliseconds of each."""
    kept = min(count, max(1, int(count * milliseconds / GIF_SHORTEST)))
    ends = [round((number + 1) * count * milliseconds / kept / 10) * 10 for number in range(kept)]
    durations = [end - start for start, end in pairwise([0, *ends])]
    return [number * count // kept for number in range(kept)], durations
