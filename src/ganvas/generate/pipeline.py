"""The pipeline: a trained generator that generates images from seeds."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganvas.checkpoints.metadata import RunMetadata
from ganvas.generate import arguments
from ganvas.generate.trained import Trained, find_trained
from ganvas.imaging.alpha import straight
from ganvas.models import Generator, UnsuitableOptionError
from ganvas.models.sampling import sample_batches
from ganvas.registry import choose
from ganvas.runtime.rng import Stream, seeded_generator
from ganvas.runtime.validation import ArgumentError, quote

AT_ONCE = 128  # images
FLOAT = 4  # bytes
CPU = torch.device("cpu")

# Old names of methods, which still work in this version.
RENAMED = {"paint": "generate", "paint_latents": "from_latents", "paint_styles": "from_styles"}


class FallbackWarning(UserWarning):
    """The newest checkpoint is damaged, and an older one was loaded."""


@dataclass(frozen=True)
class Pipeline:
    """The averaged generator of a run. The image of a seed does not depend on the other seeds.

    Invalid arguments raise ArgumentError with the argument's name.
    """

    generator: Generator
    metadata: RunMetadata  # of its checkpoint or file

    def __getattr__(self, name: str) -> Any:
        if name not in RENAMED:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        warnings.warn(f"Pipeline.{name} is called {RENAMED[name]} now", DeprecationWarning, 2)
        return getattr(self, RENAMED[name])

    @property
    def classes(self) -> list[str]:
        """The classes of a conditional model; empty for others."""
        return list(self.metadata.model.classes) if self.metadata.model else []

    def latents(self, seeds: list[int], label: str | None = None) -> Tensor:
        """Latents (N, latent + classes), one row for each seed.

        Without a label, seeds cycle through the classes. Raises UnknownNameError for an unknown
        label, and UnsuitableOptionError for a label where the model has no classes.
        """
        seeds = arguments.seeds(seeds)
        one_hot = self._labels(seeds, arguments.label(label))
        rows = zip(seeds, torch.split(one_hot, 1), strict=True)
        return torch.cat(
            [self.generator.draw(row, Stream(seeded_generator(CPU, seed))) for seed, row in rows]
        )

    def _labels(self, seeds: list[int], label: str | None) -> Tensor:
        classes = self.classes
        if label is not None and not classes:
            raise UnsuitableOptionError(
                "this model has not learnt labels; train one with --labels folders."
            )
        numbers = {name: number for number, name in enumerate(classes)}
        wanted = choose("label", numbers, label) if label is not None else None
        one_hot = torch.zeros(len(seeds), len(classes))
        for row, seed in enumerate(seeds if classes else []):
            one_hot[row, seed % len(classes) if wanted is None else wanted] = 1
        return one_hot

    def generate(
        self, seeds: list[int], truncation: float | None = None, label: str | None = None
    ) -> Tensor:
        """The images of these seeds, float (N, C, H, W) in [-1, 1].

        `truncation` moves their styles towards the mean: 1 not at all, 0 entirely. It raises
        UnsuitableOptionError where the model has no styles. `label` is as for `latents`.
        """
        if truncation is not None:
            return self.from_styles(self.styles(seeds, truncation, label))
        return self.from_latents(self.latents(seeds, label))

    def from_latents(self, latents: Tensor) -> Tensor:
        """The images of latents (N, latent + classes)."""
        device = next(self.generator.parameters()).device
        width = self.generator.latent + self.generator.classes
        latents = arguments.rows("latents", latents, (width,))
        return sample_batches(self.generator, latents.to(device)).cpu()

    def from_styles(self, styles: Tensor) -> Tensor:
        """The images of styles (N, layers, size); raises UnsuitableOptionError without styles."""
        styles = arguments.rows("styles", styles, self._one_style)
        device = next(self.generator.parameters()).device
        with torch.inference_mode():
            parts = [
                self.generator.styled(part.to(device))[-1] for part in torch.split(styles, AT_ONCE)
            ]
        return straight(torch.cat(parts).float()).cpu()

    @property
    def _one_style(self) -> tuple[int, ...]:
        """Layers and size of an image's styles; raises UnsuitableOptionError without styles."""
        return tuple(self.styles([0]).shape[1:])

    def styles(self, seeds: list[int], truncation: float = 1.0, label: str | None = None) -> Tensor:
        """Styles (N, layers, size) of these seeds; raises UnsuitableOptionError without styles."""
        device, truncation = (
            next(self.generator.parameters()).device,
            arguments.truncation(truncation),
        )
        with torch.inference_mode():
            return self.generator.styles(self.latents(seeds, label).to(device), truncation)

    def growth(self, seeds: list[int]) -> list[Tensor]:
        """The images of these seeds at every resolution, coarsest first, each (N, C, H, W).

        Raises UnsuitableOptionError for models with a single resolution.
        """
        device = next(self.generator.parameters()).device
        with torch.inference_mode():
            pyramid = self.generator.growth(self.latents(seeds).to(device))
        return [straight(image.float()).cpu() for image in pyramid]

    def sample(self, count: int, seed: int = 0) -> Tensor:
        """The images of `seed` and the seeds after it, float (count, C, H, W) in [-1, 1]."""
        seed = arguments.whole_number("seed", seed, 0)
        count = arguments.count(count, FLOAT * prod(self.generator.shape))
        return self.generate(list(range(seed, seed + count)))


def load(run: str | Path) -> Pipeline:
    """Load a trained generator: of a run, a checkpoint, an exported file, or a built-in name.

    Raises CheckpointError when there is none or it is damaged, and ArgumentError when `run` is
    neither a name nor a path. Warns (FallbackWarning) when the newest checkpoint is damaged and an
    older one is used.
    """
    if not isinstance(run, str | Path) or not str(run):
        raise ArgumentError(f"run must be a name or a path, not {quote(repr(run))}.")
    found = find_trained(run)
    for sentence in found.passed_over:
        warnings.warn(sentence, FallbackWarning, stacklevel=2)
    return pipeline(found)


def pipeline(found: Trained, device: torch.device = CPU) -> Pipeline:
    """The pipeline of a trained model, which generates on `device`; raises CheckpointError where
    its weights do not fit."""
    return Pipeline(found.generator().to(device), found.metadata)
