"""How many of the generated images are near-duplicates of each other."""

from dataclasses import dataclass
from math import inf

from torch import Tensor

from ganvas.evaluation.metrics.checks import comparable
from ganvas.evaluation.metrics.distances import nearest_others, pairs_within

QUANTILE = 0.01  # of real images have a near-duplicate by definition


@dataclass(frozen=True)
class Duplicates:
    """Samples that are closer to each other than all but a hundredth of real images are."""

    share: float
    """Share of generated images with a near-duplicate among the others: 0.01 for real ones."""
    pairs: int
    """Pairs of near-duplicates."""
    samples: int
    """Number of samples used."""
    radius: float
    """The distance below which two images are near-duplicates, in features."""

    @property
    def distinct(self) -> float:
        """Estimated number of distinct images of the generator; infinite without a pair.

        Two samples are near-duplicates with probability pairs / (M (M - 1) / 2); with n equally
        likely images that probability is 1 / n.
        """
        return self.samples * (self.samples - 1) / 2 / self.pairs if self.pairs else inf


def duplicates(real: Tensor, fake: Tensor) -> Duplicates:
    """The birthday test of Arora and Zhang (2017) on features of `real` (N, D) and `fake` (M, D).

    The paper finds duplicates by eye among a few hundred samples. Here real images define the
    radius: as many of them as samples, since in a larger set neighbours are closer.
    Raises ValueError when a set has fewer than two rows, or the sets cannot be compared.
    """
    real, fake = comparable(real, fake, least=2)
    count = min(len(real), len(fake))
    real, fake = real[:count], fake[:count]
    radius = float(nearest_others(real).quantile(QUANTILE))
    near = nearest_others(fake) < radius
    share = float(near.double().mean())
    pairs = pairs_within(fake[near], radius) if near.any() else 0
    return Duplicates(share, pairs, count, radius)


def duplicate_share(real: Tensor, fake: Tensor) -> float:
    """The share of generated images with a near-duplicate only; see `duplicates`."""
    return duplicates(real, fake).share
