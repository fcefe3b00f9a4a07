"""Sample grids during a run: always the same latents, through the averaged generator."""

import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from ganvas.events import Event, Sample, Step
from ganvas.imaging.alpha import straight
from ganvas.imaging.grid import grid
from ganvas.imaging.tensors import to_bytes
from ganvas.imaging.video import write_gif
from ganvas.imaging.write import generated_mark, write_png
from ganvas.models import Generator
from ganvas.models.sampling import sample_batches
from ganvas.runtime.atomic import make_folder
from ganvas.training.state import TrainingState, fixed_latents

ROWS, COLUMNS = 6, 10
FRAMES, FRAME_MILLISECONDS = 60, 150  # of progress.gif
LARGEST = 2048  # pixels of a side of its frames at most: all frames are in memory together
GRID = re.compile(r"[0-9]{10,}\.png")
WRITTEN = "images"  # PNG text key of a grid: how many images had been shown
# What Pillow raises for a file that is no PNG or damaged; the last for one larger than ours.
BROKEN = (
    OSError, EOFError, SyntaxError, ValueError, struct.error, zlib.error,
    Image.DecompressionBombError,
)  # fmt: skip
PREVIEW_STREAM = 1  # keeps the previews' latents apart from those of training


@dataclass
class SampleWriter:
    """Callback that writes `count` grids, evenly spread over the run; the last is at its end."""

    folder: Path
    count: int
    written: float = field(default=0.0)  # the fraction of the run at the last grid

    def watch(self, state: TrainingState, step: Step) -> Iterator[Event]:
        """Write a grid when one is due."""
        if int(step.fraction * self.count) > int(self.written * self.count):
            yield self.write(state)
        self.written = step.fraction

    def write(self, state: TrainingState) -> Sample:
        """Write a grid of this step."""
        make_folder(self.folder)
        path = self.folder / f"{state.images:010d}.png"
        images = preview(state.average, preview_latents(state))
        write_png(
            path,
            grid(to_bytes(images), COLUMNS),
            generated_mark("sheet", {WRITTEN: str(state.images)}),
        )
        return Sample(state.step, path)


def preview_latents(state: TrainingState) -> Tensor:
    """The latents of every grid of this run."""
    return fixed_latents(state, PREVIEW_STREAM, ROWS * COLUMNS)


@torch.inference_mode()
def preview(generator: Generator, drawn: Tensor) -> Tensor:
    """Images (M, C, H, W) of latents; a multi-scale generator first adds a row for each coarser
    resolution."""
    coarser = generator(drawn[:COLUMNS])[:-1]
    sides = generator.shape[1:]
    rows = [F.interpolate(image.float(), sides, mode="nearest") for image in coarser]
    return torch.cat([*map(straight, rows), sample_batches(generator, drawn)])


def grids(folder: Path) -> list[Path]:
    """The grids of a run, in order, that have the newest one's size.

    Damaged files are left out, and so are other images, written by `ganvas sample` or by hand.
    """
    ours = [(int(path.stem), path) for path in _entries(folder) if GRID.fullmatch(path.name)]
    sizes = {path: size for _, path in sorted(ours) if (size := _grid_size(path)) is not None}
    newest = next(reversed(sizes.values()), None)
    return [path for path, size in sizes.items() if size == newest]


def write_progress(folder: Path, path: Path) -> bool:
    """Write a GIF of the grids in `folder`, in order; False when there are none."""
    found = grids(folder)
    if not found:
        return False
    chosen = [found[round(i)] for i in np.linspace(0, len(found) - 1, min(FRAMES, len(found)))]
    frames = [pixels for sheet in chosen if (pixels := _pixels(sheet)) is not None]
    if not frames:
        return False
    write_gif(path, np.stack(frames), FRAME_MILLISECONDS)
    return True


def _entries(folder: Path) -> list[Path]:
    try:
        return [*folder.iterdir()]
    except OSError:  # there are no samples yet, or it is a file
        return []


def _grid_size(path: Path) -> tuple[int, int] | None:
    """The size of a grid that `SampleWriter` has written; None for any other file."""
    try:
        with _open(path) as sheet:
            size, ours = sheet.size, WRITTEN in sheet.info
            sheet.verify()
    except BROKEN:
        return None
    return size if ours else None


def _pixels(path: Path) -> NDArray[np.uint8] | None:
    try:
        with _open(path) as sheet:
            smaller = -(-max(sheet.size) // LARGEST)
            return np.asarray(sheet.convert("RGB").reduce(smaller))
    except BROKEN:
        return None


def _open(path: Path) -> Image.Image:
    """Open a PNG, without a warning about its size: our own grids may be large."""
    if not path.is_file():
        raise FileNotFoundError(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(path, formats=("PNG",))
