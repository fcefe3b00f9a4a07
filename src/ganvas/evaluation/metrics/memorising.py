"""Whether samples are copies of training images."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.evaluation.metrics.checks import comparable
from ganvas.evaluation.metrics.distances import nearest, nearest_others


@dataclass(frozen=True)
class Nearest:
    """The real image that is nearest to each sample."""

    real: Tensor
    """Index of the nearest real image, (M,)."""
    distance: Tensor
    """Distance to it in features, (M,)."""
    own: Tensor
    """Distance of that real image to the nearest other real one, (M,)."""

    @property
    def copied(self) -> Tensor:
        """Whether a sample is closer to its real image than any other real image is, (M,)."""
        return self.distance < self.own

    @property
    def share(self) -> float:
        """Share of copied samples: about 0.5 for new images of the same data, 1 for copies."""
        return float(self.copied.double().mean())

    @property
    def suspicious(self) -> Tensor:
        """Indices of the samples by `distance` over `own`, the likeliest copy first."""
        return torch.argsort(self.distance / self.own.clamp(min=1e-12), stable=True)


def nearest_real(real: Tensor, fake: Tensor) -> Nearest:
    """The nearest of `real` (N, D) to each of `fake` (M, D), by Euclidean distance of features.

    `share` is 1 minus the authenticity of Alaa, van Breugel, Saveliev and van der Schaar (2022). It
    is a hint to compare the images themselves: no number proves that nothing was memorised.
    Raises ValueError when a set has fewer than two rows, or the sets cannot be compared.
    """
    real, fake = comparable(real, fake, least=2)
    distance, numbers = nearest(fake, real)
    found, places = torch.unique(numbers, return_inverse=True)
    return Nearest(numbers, distance, nearest_others(real, found)[places])


def copied_share(real: Tensor, fake: Tensor) -> float:
    """The share of samples closer to a real image than other real ones; see `nearest_real`."""
    return nearest_real(real, fake).share
