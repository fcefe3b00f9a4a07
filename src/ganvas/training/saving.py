"""Checkpoints while a run goes on: the last few, and the best."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ganvas import checkpoint
from ganvas.events import Event, Saved, Step
from ganvas.metrics.kernel import kernel_distance
from ganvas.training.feed import to_network
from ganvas.training.journal import Journal
from ganvas.training.sampling import paint_batches
from ganvas.training.state import TrainingState, finite, labels_by_turns, latents, seeded
from ganvas.training.transparency import premultiplied

SCORED = 512  # generated pictures against as many real ones
SCORE_STREAM = 2
THUMBNAIL = 8  # pixels a side


@dataclass
class Saver:
    """Writes a checkpoint every so many seconds of wall time, and whenever it is asked."""

    folder: Path
    every: float
    keep: int
    keep_best: bool
    about: Mapping[str, Any]  # what a reader needs to rebuild the model
    reference: Tensor  # thumbnails of real pictures, (N, D)
    journal: Journal
    last: float = field(default_factory=time.monotonic)
    saved_step: int = -1

    def watch(self, state: TrainingState, step: Step) -> Iterator[Event]:
        """Save when it is time."""
        if time.monotonic() - self.last >= self.every:
            yield self.save(state)

    def save(self, state: TrainingState) -> Saved:
        """Save this moment; raises CheckpointError, and refuses to write anything not finite."""
        path = self.folder / f"step-{state.step:09d}"
        if self.saved_step != state.step:
            if not finite(state):
                raise checkpoint.CheckpointError(
                    f"step {state.step} has weights that are not finite and is not saved; "
                    "resume from the checkpoint before it with lower learning rates."
                )
            score = thumbnail_score(state, self.reference)
            facts = {**self.about, **state.facts(), "score": score}
            checkpoint.write(path, state.tensors(), facts)
            checkpoint.prune(self.folder, self.keep, self.keep_best)
            self.journal.append({"step": state.step, "images": state.images, "score": score})
            self.saved_step = state.step
        self.last = time.monotonic()
        return Saved(state.step, path)


def thumbnails(pictures: Tensor) -> Tensor:
    """Pictures (N, C, H, W) in [-1, 1] shrunk to 8x8 and laid flat: what they show from afar."""
    return F.adaptive_avg_pool2d(premultiplied(pictures), THUMBNAIL).flatten(1).cpu()


def reference_thumbnails(pictures: NDArray[np.uint8]) -> Tensor:
    """Thumbnails of real pictures (N, H, W, C)."""
    return thumbnails(to_network(torch.from_numpy(pictures)))


def thumbnail_score(state: TrainingState, reference: Tensor) -> float:
    """Kernel distance between thumbnails of generated and real pictures; lower is better.

    It costs next to nothing and needs no network; it sees collapse, noise and wrong colours, and
    not detail. It ranks checkpoints of one run, and no more.
    """
    device = next(state.average.parameters()).device
    stream = seeded(device, state.seed, SCORE_STREAM)
    drawn = latents(state.average, labels_by_turns(state.average, SCORED), stream)
    painted = thumbnails(paint_batches(state.average, drawn))
    return float(kernel_distance(reference, painted).value)
