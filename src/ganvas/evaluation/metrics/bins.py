"""Statistically different bins (NDB): clusters that are generated too rarely or too often."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.evaluation.metrics.checks import comparable

BINS, PER_BIN = 100, 10  # at most so many bins, and so many real images in each on average
ROUNDS = 50  # of k-means
SIGNIFICANCE = 1.96  # standard errors: two-sided, 5 %


@dataclass(frozen=True)
class Bins:
    """Real images clustered into bins, and generated images assigned to the same bins.

    Small sets have fewer bins: a bin has at least ten real images on average.
    """

    real: Tensor
    """Share of the real images in each bin, (K,)."""
    fake: Tensor
    """Share of the generated ones, (K,)."""
    different: Tensor
    """Whether the two shares differ by more than chance, (K,)."""
    of_real: Tensor
    """The bin of each real image, (N,)."""

    @property
    def share(self) -> float:
        """Share of bins that are statistically different: 0.05 by chance alone."""
        return float(self.different.double().mean())

    @property
    def divergence(self) -> float:
        """Jensen-Shannon divergence of the two distributions over bins, in nats: 0 to ln 2."""
        middle = (self.real + self.fake) / 2
        return (
            float(_relative_entropy(self.real, middle) + _relative_entropy(self.fake, middle)) / 2
        )

    @property
    def missing(self) -> Tensor:
        """The bins that are generated too rarely, the largest deficit first."""
        seldom = self.different & (self.fake < self.real)
        order = torch.argsort(self.fake - self.real, stable=True)
        return order[seldom[order]]


def bins(real: Tensor, fake: Tensor, count: int = BINS, seed: int = 0) -> Bins:
    """Statistically different bins (NDB) of Richardson and Weiss (2018), here as a share.

    `real` (N, D) are clustered by k-means into at most `count` bins, and `fake` (M, D) are assigned
    to the nearest centre. A bin is different if a two-sample test of its two shares is significant
    at 5 %. The paper clusters pixels; features of a network are more informative.
    Raises ValueError when a set has fewer than 20 rows, or the sets cannot be compared.
    """
    real, fake = comparable(real, fake, least=2 * PER_BIN)
    centres = _means(real, min(count, len(real) // PER_BIN), seed)
    of_real, of_fake = _nearest(real, centres), _nearest(fake, centres)
    a, b = (torch.bincount(of, minlength=len(centres)).double() for of in (of_real, of_fake))
    pooled = (a + b) / (len(real) + len(fake))
    error = (pooled * (1 - pooled) * (1 / len(real) + 1 / len(fake))).sqrt()
    shares = a / len(real), b / len(fake)
    different = (shares[0] - shares[1]).abs() > SIGNIFICANCE * error
    return Bins(*shares, different, of_real)


def different_bins(real: Tensor, fake: Tensor) -> float:
    """The share of statistically different bins only; see `bins`."""
    return bins(real, fake).share


def _means(points: Tensor, count: int, seed: int) -> Tensor:
    """k-means (Lloyd, 1982) from k-means++ (Arthur and Vassilvitskii, 2007)."""
    centres = _spread_out(points, count, seed)
    nearest = _nearest(points, centres)
    for _ in range(ROUNDS):
        sizes = torch.bincount(nearest, minlength=count)
        sums = torch.zeros_like(centres).index_add_(0, nearest, points)
        full = sizes > 0  # an empty one stays where it is
        centres[full] = sums[full] / sizes[full, None]
        moved = _nearest(points, centres)
        if torch.equal(moved, nearest):
            break
        nearest = moved
    return centres


def _spread_out(points: Tensor, count: int, seed: int) -> Tensor:
    """Initial centres, each drawn with probability proportional to squared distance."""
    random = torch.Generator().manual_seed(seed)
    chosen = [int(torch.randint(len(points), (), generator=random))]
    apart = torch.full((len(points),), math.inf, dtype=points.dtype)
    while len(chosen) < count:
        apart = apart.minimum((points - points[chosen[-1]]).square().sum(1))
        # All distances are 0 in a set with fewer distinct points than bins.
        weights = apart if apart.any() else torch.ones_like(apart)
        chosen.append(int(torch.multinomial(weights, 1, generator=random)))
    return points[chosen].clone()


def _nearest(points: Tensor, centres: Tensor) -> Tensor:
    return torch.cdist(points, centres).argmin(1)


def _relative_entropy(p: Tensor, q: Tensor) -> Tensor:
    entropy: Tensor = torch.special.xlogy(p, p / q.clamp(min=1e-300)).sum()
    return entropy
