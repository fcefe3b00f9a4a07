"""Checkpointing during a run: the last few checkpoints are kept, and the best."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from math import inf, isnan
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.metadata import CheckpointError, RunMetadata, ScoredMetadata
from ganvas.evaluation.metrics.kernel import kernel_distance
from ganvas.events import Event, Saved, Scored, Step
from ganvas.imaging.alpha import premultiplied
from ganvas.imaging.tensors import to_floats
from ganvas.models.sampling import sample_batches
from ganvas.training.callbacks.log import MetricsLog
from ganvas.training.state import TrainingState, finite, fixed_latents

SCORED = 512  # generated images that a thumbnail score uses
SCORE_STREAM = 2
THUMBNAIL = 8  # pixels a side


@dataclass
class Checkpointer:
    """Callback that writes a checkpoint every `every` seconds of wall time, and on request."""

    folder: Path
    every: float
    keep: int
    keep_best: bool
    about: RunMetadata  # what is needed to rebuild the model
    reference: Tensor  # thumbnails of real images, (N, D)
    metrics_log: MetricsLog
    last: float = field(default_factory=time.monotonic)
    saved_step: int = -1

    def watch(self, state: TrainingState, step: Step) -> Iterator[Event]:
        """Save when a checkpoint is due."""
        if time.monotonic() - self.last >= self.every:
            yield self.save(state)

    def save(self, state: TrainingState, scored: Scored | None = None) -> Saved:
        """Save a checkpoint of this step, with its score if there is one.

        Raises CheckpointError, also where a tensor is not finite.
        """
        path = self.folder / f"step-{state.step:09d}"
        if self.saved_step != state.step or scored is not None:
            if not finite(state):
                raise CheckpointError(
                    f"step {state.step} has weights that are not finite and is not saved; "
                    "resume from the checkpoint before it with lower learning rates."
                )
            score = thumbnail_score(state, self.reference)
            metadata = replace(
                self.about,
                state=state.metadata(),
                records=state.plain_records(),
                score=score,
                scored=None if scored is None else ScoredMetadata(**asdict(scored)),
            )
            checkpoint.write(path, state.tensors(), metadata)
            spared = best(self.folder) if self.keep_best else None
            checkpoint.prune(self.folder, self.keep, spared, saved=path)
            self.metrics_log.append({"step": state.step, "images": state.images, "score": score})
            self.saved_step = state.step
        self.last = time.monotonic()
        return Saved(state.step, path)


def best(folder: Path) -> Path | None:
    """The best undamaged checkpoint; None where there is none.

    It has the lowest KID (kernel distance) among the scores that are comparable with the newest
    one. Without any scores, it has the lowest KID of thumbnails.
    """
    whole = ((path, _metadata(path)) for path in checkpoint.all_whole(folder))
    said = {path: found for path, found in whole if found is not None}
    if scored := {path: found for path, of in said.items() if (found := scored_of(of))}:
        newest = next(iter(scored.values())).compares_with
        kernel = {p: s.scores["kernel"] for p, s in scored.items() if s.compares_with == newest}
        return min(kernel, key=lambda path: _rank(kernel[path]))
    return min(said, key=lambda path: _rank(said[path].score), default=None)


def scored_of(metadata: RunMetadata) -> Scored | None:
    """The score that a checkpoint was saved with; None if it has none."""
    return None if metadata.scored is None else Scored(**vars(metadata.scored))


def _metadata(path: Path) -> RunMetadata | None:
    """The metadata of a checkpoint; None where it has been deleted meanwhile."""
    try:
        return checkpoint.read(path).metadata
    except CheckpointError:
        return None


def _rank(score: float | None) -> float:
    return inf if score is None or isnan(score) else score


def thumbnails(images: Tensor) -> Tensor:
    """Images (N, C, H, W) in [-1, 1] averaged down to 8x8 and flattened to (N, 64 C)."""
    return F.adaptive_avg_pool2d(premultiplied(images), THUMBNAIL).flatten(1).cpu()


def reference_thumbnails(images: NDArray[np.uint8]) -> Tensor:
    """Thumbnails of real images (N, H, W, C)."""
    return thumbnails(to_floats(torch.from_numpy(images)))


def thumbnail_score(state: TrainingState, reference: Tensor) -> float:
    """KID (kernel distance) between thumbnails of generated and real images; lower is better.

    It costs next to nothing and needs no network. It reflects collapse, noise and wrong colours,
    but no detail. It ranks checkpoints of one run only.
    """
    drawn = fixed_latents(state, SCORE_STREAM, SCORED)
    generated_images = thumbnails(sample_batches(state.average, drawn))
    return float(kernel_distance(reference, generated_images).value)
