"""Whether samples are copies of the images that were learnt from."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.evaluation.metrics.checks import comparable
from ganvas.evaluation.metrics.distances import nearest, nearest_others


@dataclass(frozen=True)
class Nearest:
    """The real image that is nearest to each sample."""

    real: Tensor
    """Its number, (M,)."""
    distance: Tensor
    """How far it is, in features, (M,)."""
    own: Tensor
    """How far that real image is from the nearest other real one, (M,)."""

    @property
    def copied(self) -> Tensor:
        """Whether a sample is nearer to it than any other real image is, (M,)."""
        return self.distance < self.own

    @property
    def share(self) -> float:
        """Share of samples that are: about 0.5 for new images of the same kind, 1 for copies."""
        return float(self.copied.double().mean())

    @property
    def suspicious(self) -> Tensor:
        """Numbers of the samples, the likeliest copy first: by distance over what is usual."""
        return torch.argsort(self.distance / self.own.clamp(min=1e-12), stable=True)


def nearest_real(real: Tensor, fake: Tensor) -> Nearest:
    """The nearest of `real` (N, D) to each of `fake` (M, D), by Euclidean distance of features.

    `share` is 1 less the authenticity of Alaa, van Breugel, Saveliev and van der Schaar (2022). It
    says that something is to be looked at; no number certifies that nothing has been learnt by
    heart, and the images themselves must be compared.
    Raises ValueError when a set has fewer than two rows, or the sets cannot be compared.
    """
    real, fake = comparable(real, fake, least=2)
    distance, numbers = nearest(fake, real)
    found, places = torch.unique(numbers, return_inverse=True)
    return Nearest(numbers, distance, nearest_others(real, found)[places])


def copied_share(real: Tensor, fake: Tensor) -> float:
    """The share of samples nearer to a real image than other real ones; see `nearest_real`."""
    return nearest_real(real, fake).share
