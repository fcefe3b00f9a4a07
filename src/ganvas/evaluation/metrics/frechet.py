"""Fréchet distance: the distance of Gaussians fitted to two sets of features."""

import torch
from torch import Tensor

from ganvas.evaluation.metrics.checks import comparable


def frechet_distance(real: Tensor, fake: Tensor) -> float:
    """Fréchet distance of Heusel et al. (2017), the "FID" when the network is Inception-v3.

    |m1 - m2|² + tr(C1 + C2 - 2 (C1 C2)^½) with the means and covariances of `real` (N, D) and
    `fake` (M, D), in squared feature units, 0 or more. Biased upwards on small sets: compare only
    at the same N and M and through the same feature network.
    Raises ValueError when a set has fewer than two rows, or the sets cannot be compared.
    """
    real, fake = comparable(real, fake, least=2)
    shift = (real.mean(0) - fake.mean(0)).square().sum()
    return max(0.0, float(shift + _bures(_covariance(real), _covariance(fake))))


def _covariance(x: Tensor) -> Tensor:
    centred = x - x.mean(0)
    return torch.matmul(centred.T, centred) / (len(x) - 1)


def _bures(a: Tensor, b: Tensor) -> Tensor:
    """tr(A + B - 2 (AB)^½); AB has the eigenvalues of A^½ B A^½, which is symmetric."""
    half = _square_root(a)
    return a.trace() + b.trace() - 2 * _roots(torch.linalg.eigvalsh(half @ b @ half)).sum()


def _square_root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return torch.matmul(vectors * _roots(values), vectors.T)


def _roots(values: Tensor) -> Tensor:
    return values.clamp(min=0).sqrt()  # rounding makes zero eigenvalues slightly negative
