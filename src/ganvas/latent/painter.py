"""A trained generator, and the pictures of its seeds."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter
from torch import Tensor

from ganvas import checkpoint
from ganvas.models import MODELS, Generator, build
from ganvas.registry import choose
from ganvas.training.sampling import paint_batches
from ganvas.training.state import latents, seeded


class FallbackWarning(UserWarning):
    """The newest checkpoint is damaged, and an older one was loaded."""


@dataclass(frozen=True)
class Painter:
    """The averaged generator of a run. Every picture has a seed, whichever others are asked for."""

    generator: Generator
    about: dict[str, Any]  # the facts of its checkpoint

    def latents(self, seeds: list[int]) -> Tensor:
        """One row (latent) for each seed."""
        cpu = torch.device("cpu")
        return torch.cat([latents(self.generator, 1, seeded(cpu, seed)) for seed in seeds])

    def paint(self, seeds: list[int]) -> Tensor:
        """The pictures of these seeds, float (N, C, H, W) in [-1, 1]."""
        device = next(self.generator.parameters()).device
        return paint_batches(self.generator, self.latents(seeds).to(device)).cpu()

    def sample(self, count: int, seed: int = 0) -> Tensor:
        """The pictures of `seed` and the seeds after it, float (count, C, H, W) in [-1, 1]."""
        return self.paint(list(range(seed, seed + count)))


def load(run: str | Path) -> Painter:
    """The generator of a run, or of one of its checkpoints.

    Raises CheckpointError when there is none; warns (FallbackWarning) when the newest is damaged
    and the one before it is used.
    """
    found, passed_over = found_in(Path(run))
    for sentence in passed_over:
        warnings.warn(sentence, FallbackWarning, stacklevel=2)
    return opened(found)


def found_in(run: Path) -> tuple[checkpoint.Checkpoint, list[str]]:
    """The newest good checkpoint of a run, and a sentence for each damaged one passed over."""
    if (run / "manifest.json").exists():
        return checkpoint.verify(checkpoint.read(run)), []
    return checkpoint.newest(run / "checkpoints")


def opened(found: checkpoint.Checkpoint) -> Painter:
    """The generator in a checkpoint."""
    facts = dict(found.facts)
    entry = choose("model", MODELS, facts["model"])
    settings = TypeAdapter(entry.settings).validate_python(facts["network"])
    channels, height, width = facts["shape"]
    generator = build(facts["model"], settings, (channels, height, width)).generator
    generator.load_state_dict(found.tensors("average"))
    return Painter(generator.requires_grad_(False).eval(), facts)
