"""Walk a plane of latents of a trained generator, image by image.

The plane is a lattice: at each point with whole coordinates lies a seed, and between four seeds the
latents are interpolated along great circles (White, 2016), as in the visualiser of StyleGAN3
(Karras et al., 2021). The image of a whole point is the one that `ganvas sample --seeds` generates.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from math import floor

import torch
from torch import Tensor

from ganvas.generate.interpolate import spherical
from ganvas.generate.pipeline import Pipeline, pipeline
from ganvas.generate.trained import find_trained
from ganvas.imaging import Pixels
from ganvas.imaging.tensors import to_bytes
from ganvas.models import UnsuitableOptionError

KEPT = 3  # pipelines in memory
WIDE = 1000  # whole points from one row of the lattice to the next, so that each has its own seed
FAR = WIDE // 2 - 1  # of a whole point from the middle


@dataclass(frozen=True)
class Place:
    """A point of the plane, and what else decides on its image."""

    x: float = 0.0
    y: float = 0.0
    truncation: float = 1.0  # of models with styles
    label: str | None = None  # of models with classes
    mixed: int | None = None  # seed whose styles the `layers` have
    layers: tuple[int, ...] = ()


def seed_at(column: int, row: int) -> int:
    """The seed of a whole point; at the middle it is 0."""
    return _folded(row) * WIDE + _folded(column)


def _folded(number: int) -> int:
    """A whole number as one that is not negative: 0, -1, 1, -2, 2 … in this order."""
    return 2 * number if number >= 0 else -2 * number - 1


def corners(place: Place) -> list[tuple[int, float]]:
    """The seeds around a point, each with its share; the shares add up to 1."""
    column, row = floor(place.x), floor(place.y)
    across, down = place.x - column, place.y - row
    shares = {
        (column, row): (1 - across) * (1 - down),
        (column + 1, row): across * (1 - down),
        (column, row + 1): (1 - across) * down,
        (column + 1, row + 1): across * down,
    }
    return [(seed_at(*point), share) for point, share in shares.items() if share > 0]


def latent_at(model: Pipeline, place: Place) -> Tensor:
    """The latent (1, D) of a point."""
    column, row = floor(place.x), floor(place.y)
    points = [(column + i, row + j) for j in (0, 1) for i in (0, 1)]
    around = model.latents([seed_at(*point) for point in points], place.label)
    size = model.generator.latent
    across = torch.full((2, 1), place.x - column, dtype=torch.float64)
    down = torch.full((1, 1), place.y - row, dtype=torch.float64)
    rows = spherical(around[[0, 2], :size], around[[1, 3], :size], across)
    found = spherical(rows[:1], rows[1:], down)
    return torch.cat([found, around[:1, size:]], 1)


def image_at(model: Pipeline, place: Place) -> Pixels:
    """The image (H, W, C) of a point; raises UnsuitableOptionError for what the model lacks."""
    latent = latent_at(model, place)
    if place.mixed is None and place.truncation == 1.0:
        return _one(model.from_latents(latent))
    device = next(model.generator.parameters()).device
    with torch.inference_mode():
        styles = model.generator.styles(latent.to(device), place.truncation)
    if place.mixed is not None:
        if not all(0 <= layer < styles.shape[1] for layer in place.layers):
            raise UnsuitableOptionError(f"this model has layers 0 to {styles.shape[1] - 1}.")
        others = model.styles([place.mixed], place.truncation, place.label)
        styles = styles.clone()
        styles[:, list(place.layers)] = others[:, list(place.layers)]
    return _one(model.from_styles(styles))


def _one(images: Tensor) -> Pixels:
    pixels: Pixels = to_bytes(images)[0]
    return pixels


@dataclass
class Explorer:
    """Pipelines in memory, and one image at a time."""

    _loaded: OrderedDict[str, Pipeline] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def pipeline(self, key: str, where: str) -> Pipeline:
        """The pipeline of a trained model, which stays in memory under its key; raises
        CheckpointError."""
        with self._lock:
            if key not in self._loaded:
                self._loaded[key] = pipeline(find_trained(where))
                while len(self._loaded) > KEPT:
                    self._loaded.popitem(last=False)
            self._loaded.move_to_end(key)
            return self._loaded[key]

    def run(self, work: Callable[[], Pixels]) -> Pixels:
        """One image: several tabs wait for each other."""
        with self._lock:
            return work()


def facts(model: Pipeline) -> dict[str, object]:
    """What can be chosen for a model: shape, classes, and layers with styles."""
    try:
        layers = model.styles([0]).shape[1]
    except UnsuitableOptionError:
        layers = 0
    channels, height, width = model.generator.shape
    return {
        "channels": channels,
        "height": height,
        "width": width,
        "classes": model.classes,
        "layers": layers,
    }
