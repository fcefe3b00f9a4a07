"""How much pictures differ from each other, in coarse shapes and in fine detail."""

from dataclasses import dataclass
from statistics import geometric_mean

from torch import Tensor
from torch.nn import functional as F

from ganvas.evaluation.features.network import on_white

COARSEST = 4  # pixels of the shorter side
LEAST = 1e-6  # in place of no difference


@dataclass(frozen=True)
class Diversity:
    """Root mean squared difference of two pictures, by scale from the coarsest: 0 to 2."""

    real: tuple[float, ...]
    fake: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """Generated over real: 1 where they differ as much as real ones do."""
        return tuple(f / max(r, LEAST) for f, r in zip(self.fake, self.real, strict=True))

    @property
    def ratio(self) -> float:
        """The geometric mean over scales: 0 where all samples are one picture."""
        return geometric_mean([max(ratio, LEAST) for ratio in self.ratios])


def pairwise_diversity(real: Tensor, fake: Tensor) -> Diversity:
    """Mean differences within `real` (N, C, H, W) and within `fake` (M, C, H, W), in [-1, 1].

    Odena, Olah and Shlens (2017) take the mean MS-SSIM of pairs; what a pair of pictures differs by
    at each scale of a Laplacian pyramid (Burt and Adelson, 1983) has a unit, and all pairs are
    counted at once, since twice the variance is the mean squared difference.
    Raises ValueError when a set has fewer than two pictures, or shapes differ.
    """
    if real.shape[1:] != fake.shape[1:] or min(len(real), len(fake)) < 2:
        raise ValueError(
            f"real pictures {tuple(real.shape)} and generated ones {tuple(fake.shape)} cannot be "
            "compared: give two of each or more, of one size."
        )
    return Diversity(*(_differences(pictures) for pictures in (real, fake)))


def _differences(pictures: Tensor) -> tuple[float, ...]:
    bands = _bands(on_white(pictures))
    return tuple(float((2 * band.double().var(0)).mean().sqrt()) for band in bands)


def _bands(pictures: Tensor) -> list[Tensor]:
    """What each scale adds to the one before, coarsest first."""
    bands = list[Tensor]()
    while min(pictures.shape[2:]) >= 2 * COARSEST:
        coarser = F.avg_pool2d(pictures, 2, ceil_mode=True)
        bands.append(pictures - F.interpolate(coarser, pictures.shape[2:], mode="bilinear"))
        pictures = coarser
    return [pictures, *reversed(bands)]
