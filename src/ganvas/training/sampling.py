"""Grids of the same latents while a run goes on, painted by the averaged generator."""

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
from ganvas.models import Generator, paint
from ganvas.sheets import grid, write_gif, write_png
from ganvas.training.state import TrainingState, fixed_latents
from ganvas.training.transparency import straight

ROWS, COLUMNS = 6, 10
FRAMES, FRAME_MILLISECONDS = 60, 150  # of progress.gif
PREVIEW_STREAM = 1  # keeps the previews' latents apart from those of training


@dataclass
class Sampler:
    """Writes `count` grids, evenly over the run; the last shows the finished generator."""

    folder: Path
    count: int
    written: float = field(default=0.0)  # the fraction of the run at the last grid

    def watch(self, state: TrainingState, step: Step) -> Iterator[Event]:
        """Write a grid when one is due."""
        if int(step.fraction * self.count) > int(self.written * self.count):
            yield self.write(state)
        self.written = step.fraction

    def write(self, state: TrainingState) -> Sample:
        """A grid of this moment."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{state.images:010d}.png"
        pictures = preview(state.average, preview_latents(state))
        write_png(path, grid(to_bytes(pictures), COLUMNS), {"images": str(state.images)})
        return Sample(state.step, path)


def preview_latents(state: TrainingState) -> Tensor:
    """The latents of every grid of this run."""
    return fixed_latents(state, PREVIEW_STREAM, ROWS * COLUMNS)


@torch.inference_mode()
def preview(generator: Generator, drawn: Tensor) -> Tensor:
    """Pictures (M, C, H, W): of a generator of several views, first a row of each coarser one."""
    coarser = generator(drawn[:COLUMNS])[:-1]
    sides = generator.shape[1:]
    rows = [F.interpolate(view.float(), sides, mode="nearest") for view in coarser]
    return torch.cat([*map(straight, rows), paint_batches(generator, drawn)])


@torch.inference_mode()
def paint_batches(generator: Generator, drawn: Tensor, batch: int = 128) -> Tensor:
    """Pictures (N, C, H, W) of many latents, as people see them; a batch at a time, so that memory
    stays small."""
    return torch.cat([straight(paint(generator, part)) for part in torch.split(drawn, batch)])


def to_bytes(pictures: Tensor) -> NDArray[np.uint8]:
    """Float (N, C, H, W) in [-1, 1] to uint8 (N, H, W, C)."""
    scaled = pictures.add(1.0).mul(127.5).round_().clamp_(0, 255)
    return scaled.byte().permute(0, 2, 3, 1).contiguous().cpu().numpy()


def _pixels(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as sheet:
        return np.asarray(sheet.convert("RGB"))


def write_progress(folder: Path, path: Path) -> bool:
    """A GIF of the grids in `folder`, in order; False when there are none."""
    grids = sorted(folder.glob("*.png"))
    if not grids:
        return False
    chosen = [grids[round(i)] for i in np.linspace(0, len(grids) - 1, min(FRAMES, len(grids)))]
    frames = np.stack([_pixels(sheet) for sheet in chosen])
    write_gif(path, frames, FRAME_MILLISECONDS)
    return True
