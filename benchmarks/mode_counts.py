"""Mode coverage: how many known modes of a synthetic distribution are generated."""

from dataclasses import dataclass

import torch
from torch import Tensor

LEAST = 20  # high-quality samples from which a mode counts as found
SPREADS = 3.0  # standard deviations from a mode within which a sample is of high quality


@dataclass(frozen=True)
class Modes:
    """The modes of a mixture of Gaussians that samples cover."""

    found: int
    """Number of modes with at least `LEAST` samples of high quality."""
    of: int
    """Number of modes."""
    quality: float
    """Share of samples of high quality."""


def modes(samples: Tensor, centres: Tensor, spread: float) -> Modes:
    """Modes found and samples of high quality, as Srivastava et al. (VEEGAN, 2017) count them.

    `samples` (N, 2), `centres` (K, 2), `spread` the standard deviation of every mode. A sample
    within three standard deviations of its nearest centre is of high quality; of two thousand
    samples a mode must have twenty to be found, where the paper asks for one.
    """
    distance, nearest = torch.cdist(samples.double(), centres.double()).min(1)
    good = distance <= SPREADS * spread
    counts = torch.bincount(nearest[good], minlength=len(centres))
    return Modes(int((counts >= LEAST).sum()), len(centres), float(good.double().mean()))


@dataclass(frozen=True)
class Stacked:
    """Which of a thousand combinations of three digits have been generated."""

    found: int
    """Number of combinations with at least one sample, of 1,000."""
    divergence: float
    """Kullback-Leibler divergence from the samples to the uniform distribution, in nats."""


def stacked_modes(digits: Tensor) -> Stacked:
    """Modes of stacked digits (Metz et al., Unrolled GAN, 2017), from a classifier's predictions.

    `digits` (N, 3) are the numbers 0 to 9 in the three channels of each sample. The divergence is
    KL(samples || uniform), 0 at best and ln 1000 = 6.9 for one combination.
    """
    combinations = (digits.long() * torch.tensor([100, 10, 1])).sum(1)
    shares = torch.bincount(combinations, minlength=1000).double() / len(digits)
    divergence = torch.special.xlogy(shares, shares * 1000).sum()
    return Stacked(int((shares > 0).sum()), float(divergence))
