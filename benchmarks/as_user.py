"""A run as a user makes one with ganvas.train, and what it leaves."""

import tempfile
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import Any

import torch
from score import SAMPLE_SEED, Scorer
from torch import Tensor

import ganvas
from ganvas.checkpoints.metadata import CheckpointError
from ganvas.events import Diagnosis
from ganvas.training import DivergedError


@dataclass(frozen=True)
class Left:
    """What a run left: images, their distance from real ones, and what it said."""

    images: Tensor
    distance: float
    sentences: list[str]


def left_by(source: str, options: dict[str, Any], scorer: Scorer, nothing: Tensor) -> Left:
    """Train so, and score what is left: `nothing`, infinitely far from real, where nothing is."""
    sentences, images = list[str](), nothing
    with tempfile.TemporaryDirectory() as folder:
        run = f"{folder}/run"
        with suppress(DivergedError, CheckpointError):  # what it has saved is what the user has
            for event in ganvas.train(source, out=run, **options):
                if isinstance(event, Diagnosis):
                    sentences.append(event.sentence)
        with suppress(CheckpointError):  # nothing was ever saved
            images = ganvas.load(run).sample(scorer.samples, seed=SAMPLE_SEED)
    whole = images is not nothing and bool(torch.isfinite(images).all())
    distance = scorer.score(images)["FD"] if whole else inf
    return Left(images.nan_to_num(), distance, sentences)
