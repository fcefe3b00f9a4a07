"""How much images differ from each other, in coarse shapes and in fine detail."""

from dataclasses import dataclass
from statistics import geometric_mean

from torch import Tensor
from torch.nn import functional as F

from ganvas.evaluation.features.network import on_white

COARSEST = 4  # pixels of the shorter side
LEAST = 1e-6  # in place of a difference of 0


@dataclass(frozen=True)
class Diversity:
    """Root mean squared difference of two images, by scale from the coarsest: 0 to 2."""

    real: tuple[float, ...]
    fake: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """Generated over real: 1 where they differ as much as real ones do."""
        return tuple(f / max(r, LEAST) for f, r in zip(self.fake, self.real, strict=True))

    @property
    def ratio(self) -> float:
        """The geometric mean over scales: 0 where all samples are one image."""
        return geometric_mean([max(ratio, LEAST) for ratio in self.ratios])


def pairwise_diversity(real: Tensor, fake: Tensor) -> Diversity:
    """Mean differences within `real` (N, C, H, W) and within `fake` (M, C, H, W), in [-1, 1].

    Odena, Olah and Shlens (2017) use the mean MS-SSIM of pairs. The difference of two images at
    each scale of a Laplacian pyramid (Burt and Adelson, 1983), used here, has a unit, and covers
    all pairs at once, since the mean squared difference is twice the variance.
    Raises ValueError when a set has fewer than two images, or shapes differ.
    """
    if real.shape[1:] != fake.shape[1:] or min(len(real), len(fake)) < 2:
        raise ValueError(
            f"real images {tuple(real.shape)} and generated ones {tuple(fake.shape)} cannot be "
            "compared: give two of each or more, of one size."
        )
    return Diversity(*(_differences(images) for images in (real, fake)))


def _differences(images: Tensor) -> tuple[float, ...]:
    bands = _bands(on_white(images))
    return tuple(float((2 * band.double().var(0)).mean().sqrt()) for band in bands)


def _bands(images: Tensor) -> list[Tensor]:
    """What each scale adds to the one before, coarsest first."""
    bands = list[Tensor]()
    while min(images.shape[2:]) >= 2 * COARSEST:
        coarser = F.avg_pool2d(images, 2, ceil_mode=True)
        bands.append(images - F.interpolate(coarser, images.shape[2:], mode="bilinear"))
        images = coarser
    return [images, *reversed(bands)]
