"""Synthetic data whose modes are known, to measure a GAN's mode coverage.

They provide as much of the ImageDataset interface as training needs, and replace it there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

from ganvas.data.dataset import ImageDataset
from ganvas.events import Refusal

Numbers = Sequence[int] | NDArray[np.integer]


@dataclass(frozen=True)
class Mixture:
    """A mixture of equally likely Gaussians of one spread in the plane, within [-1, 1]."""

    name: str
    centres: NDArray[np.float64]
    spread: float


RING = Mixture(  # a unit ring of spread 0.01, scaled by 1/2
    "ring", np.array([(cos(k * pi / 4) / 2, sin(k * pi / 4) / 2) for k in range(8)]), 0.005
)
GRID = Mixture(  # {-4, -2, 0, 2, 4} squared of spread 0.05 (Srivastava et al., 2017), times 1/5
    "grid", np.array([(x / 5, y / 5) for x in range(-4, 5, 2) for y in range(-4, 5, 2)]), 0.01
)


class Unlabelled:
    """A data set without classes and without refused files."""

    classes: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()
    mirror = False

    def labels(self, indices: Numbers) -> NDArray[np.float32]:
        """No classes: (count, 0)."""
        return np.zeros((len(indices), 0), np.float32)


class Points(Unlabelled):
    """Points of a mixture as images of 1 x 1 pixels and two channels.

    Each channel is a coordinate, scaled to 0 … 255 like bytes, but not rounded.
    """

    shape = (2, 1, 1)

    def __init__(self, mixture: Mixture, count: int = 100_000, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        modes = random.integers(0, len(mixture.centres), count)
        noise = mixture.spread * random.standard_normal((count, 2))
        self.points = (mixture.centres[modes] + noise).astype(np.float32)
        self.source = self.key = mixture.name
        self.usable = count

    def __len__(self) -> int:
        return len(self.points)

    def batch(self, indices: Numbers) -> NDArray[np.float32]:
        """The points at these indices, (count, 1, 1, 2)."""
        chosen: NDArray[np.float32] = (self.points[np.asarray(indices)] + 1) * np.float32(127.5)
        return chosen[:, None, None]


class StackedDigits(Unlabelled):
    """Three digits as the channels of one image: 1000 modes (Metz et al., Unrolled GAN, 2017)."""

    def __init__(self, digits: ImageDataset, count: int = 128_000, seed: int = 0) -> None:
        self.digits = digits
        random = np.random.default_rng(seed)
        self.triples = random.integers(0, digits.usable, (count, 3))
        self.shape = (3, *digits.shape[1:])
        self.source = self.key = "stacked-digits"
        self.usable = count

    def __len__(self) -> int:
        return len(self.triples)

    def batch(self, indices: Numbers) -> NDArray[np.uint8]:
        """The images at these indices, (count, height, width, 3)."""
        triples = self.triples[np.asarray(indices)]
        planes = [self.digits.batch(triples[:, channel]) for channel in range(3)]
        return np.concatenate(planes, axis=3)
