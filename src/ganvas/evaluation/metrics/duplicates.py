"""How many of the generated images are nearly the same."""

from dataclasses import dataclass
from math import inf

from torch import Tensor

from ganvas.evaluation.metrics.checks import comparable
from ganvas.evaluation.metrics.distances import nearest_others, pairs_within

QUANTILE = 0.01  # of real images have a nearer one than what counts as nearly the same


@dataclass(frozen=True)
class Duplicates:
    """Samples that are nearer to each other than all but a hundredth of real images are."""

    share: float
    """Share of generated images with a near-duplicate among the others: 0.01 for real ones."""
    pairs: int
    """Pairs of near-duplicates."""
    samples: int
    """How many were looked at."""
    radius: float
    """The distance below which two images are near-duplicates, in features."""

    @property
    def distinct(self) -> float:
        """About how many different images there are to be generated; infinite without a pair.

        Two samples meet by the chance pairs / (M (M - 1) / 2), and of n images that are equally
        likely by 1 / n.
        """
        return self.samples * (self.samples - 1) / 2 / self.pairs if self.pairs else inf


def duplicates(real: Tensor, fake: Tensor) -> Duplicates:
    """The birthday test of Arora and Zhang (2017) on features of `real` (N, D) and `fake` (M, D).

    They look for duplicates by eye among a few hundred samples. Here real images say what counts
    as one: as many of them as samples, since in a larger set everybody has nearer neighbours.
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
    """The share of generated images with a near-duplicate, alone; see `duplicates`."""
    return duplicates(real, fake).share
