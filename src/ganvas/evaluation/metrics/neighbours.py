"""Precision, recall, density and coverage, from nearest neighbours.

Each image has a ball that reaches to its k-th nearest neighbour in the same set, itself not
counted. A ball includes its border, so that copies of an image lie in it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.evaluation.metrics.checks import comparable

BLOCK = 256


@dataclass(frozen=True)
class NeighbourShares:
    """Four shares of images, 0 to 1 (density may exceed 1); higher is better.

    Improved precision and recall: Kynkäänniemi et al. (2019). Density and coverage: Naeem et al.
    (2020).
    """

    precision: float
    """Share of fake images inside the ball of any real one: fidelity; an outlier inflates it."""
    recall: float
    """Share of real images inside the ball of any fake one: diversity; an outlier inflates it."""
    density: float
    """Mean number of real balls that hold a fake image, divided by k: fidelity."""
    coverage: float
    """Share of real balls that hold a fake image: diversity; one outlier counts little."""


def neighbour_shares(real: Tensor, fake: Tensor, k: int = 5) -> NeighbourShares:
    """Precision, recall, density and coverage of `fake` (M, D) against `real` (N, D).

    Exact, by Euclidean distance, in blocks of rows: memory grows with N + M, time with
    (N + M)² D. Values depend on N and M: compare only at the same sizes.
    Raises ValueError when `k` is less than 1, a set has `k` rows or fewer, or the sets cannot be
    compared.
    """
    if k < 1:
        raise ValueError(f"k must be 1 or more, not {k}: give the number of neighbours of a ball.")
    real, fake = comparable(real, fake, least=k + 1)
    real_radii, fake_radii = _radii(real, k), _radii(fake, k)
    holders = torch.zeros(len(fake))
    covered = recalled = 0
    for rows, radii in zip(torch.split(real, BLOCK), torch.split(real_radii, BLOCK), strict=True):
        between = _distances(rows, fake)
        inside = between <= radii[:, None]
        holders += inside.sum(0)
        covered += int(inside.any(1).sum())
        recalled += int((between <= fake_radii).any(1).sum())
    return NeighbourShares(
        precision=float((holders > 0).double().mean()),
        recall=recalled / len(real),
        density=float(holders.double().mean()) / k,
        coverage=covered / len(real),
    )


def precision(real: Tensor, fake: Tensor, k: int = 5) -> float:
    """Share of fake images among real ones (Kynkäänniemi 2019); see `neighbour_shares`."""
    return neighbour_shares(real, fake, k).precision


def recall(real: Tensor, fake: Tensor, k: int = 5) -> float:
    """Share of real images among fake ones (Kynkäänniemi 2019); see `neighbour_shares`."""
    return neighbour_shares(real, fake, k).recall


def density(real: Tensor, fake: Tensor, k: int = 5) -> float:
    """How densely real images surround fake ones (Naeem 2020); see `neighbour_shares`."""
    return neighbour_shares(real, fake, k).density


def coverage(real: Tensor, fake: Tensor, k: int = 5) -> float:
    """Share of real images with a fake one nearby (Naeem 2020); see `neighbour_shares`."""
    return neighbour_shares(real, fake, k).coverage


def _radii(points: Tensor, k: int) -> Tensor:
    """Distance of each point to its k-th nearest other point; the nearest of all is itself."""
    blocks = torch.split(points, BLOCK)
    return torch.cat([_distances(rows, points).kthvalue(k + 1, dim=1).values for rows in blocks])


def _distances(x: Tensor, y: Tensor) -> Tensor:
    # The faster way through a matrix product turns the 0 between copies into a rounding error.
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
