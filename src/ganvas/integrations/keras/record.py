"""A callback that writes the files of a ganvas run: sample grids, film, metrics log, curves."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganvas.checkpoints.run_dir import RunDir
from ganvas.errors import GanvasError
from ganvas.events import Diagnosis, Step
from ganvas.imaging.grid import grid
from ganvas.imaging.tensors import to_bytes
from ganvas.imaging.write import generated_mark, write_png
from ganvas.integrations.keras.backend import keras
from ganvas.integrations.keras.logs import USUAL, Losses
from ganvas.integrations.keras.networks import channels_first, generated_images, latents
from ganvas.runtime.atomic import make_folder
from ganvas.runtime.names import expand
from ganvas.runtime.validation import check_whole
from ganvas.training.callbacks import curves
from ganvas.training.callbacks.log import MetricsLog
from ganvas.training.callbacks.samples import COLUMNS, ROWS, write_progress


class FolderInUseError(GanvasError, ValueError):
    """A folder that holds another run."""


class Record(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Writes `samples/`, `progress.gif`, `metrics.jsonl` and `losses.png` into a folder.

    `generator` is sampled, always with the same latents, which follow from `seed`. `batch` is the
    number of real images in a step. A grid is written every `grid_every` steps, a line of means
    every `line_every`, film and curves at the end of training. Images are in [-1, 1].

    Raises ArgumentError, and FolderInUseError if the folder has a metrics log already: nothing is
    overwritten.
    """

    def __init__(
        self,
        generator: keras.Model,
        folder: str | Path = "run",
        *,
        batch: int,
        grid_every: int = 500,
        line_every: int = 10,
        losses: Losses = USUAL,
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_whole("Record", 1, batch=batch, grid_every=grid_every, line_every=line_every)
        check_whole("Record", 0, seed=seed)
        self.folder = RunDir(expand(folder))
        if self.folder.metrics_log.exists():
            raise FolderInUseError(
                f"{self.folder.path} holds another run; give a new folder, or remove that one."
            )
        self.generator, self.losses, self.batch = generator, losses, batch
        self.grid_every = grid_every
        self.latents = latents(generator, ROWS * COLUMNS, seed)
        self.metrics_log = MetricsLog(self.folder.metrics_log, line_every * batch)
        self.step, self.dropped = 0, 0
        self.beside: dict[str, float] = {}  # further scalars of this step
        self.began = time.monotonic()

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Make the folder."""
        make_folder(self.folder.samples)

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Write the grid and the line of metrics that are due."""
        losses = self.losses.of(logs)
        self.step += 1
        self.dropped += not losses
        seconds = time.monotonic() - self.began
        scalars = losses and losses | self.beside
        self.beside = {}
        self.metrics_log.record(Step(self.step, self.images, seconds, 0.0, scalars), self.dropped)
        if self.step % self.grid_every == 0:
            self._write_samples()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Write the last grid, the film and the curves."""
        if self.step % self.grid_every:
            self._write_samples()
        write_progress(self.folder.samples, self.folder.progress)
        curves.draw(self.folder.metrics_log, self.folder.curves)

    @property
    def images(self) -> int:
        """Real images shown so far."""
        return self.step * self.batch

    def note(self, diagnosis: Diagnosis) -> None:
        """Write a diagnosis of the doctor to the metrics log."""
        self.metrics_log.note(diagnosis)

    def _write_samples(self) -> None:
        _ = self.model  # with the JAX backend, this writes the trained weights to the variables
        path = self.folder.samples / f"{self.images:010d}.png"
        images = generated_images(self.generator, self.latents)
        write_png(
            path,
            grid(to_bytes(channels_first(images)), COLUMNS),
            generated_mark("sheet", {"images": str(self.images)}),
        )
