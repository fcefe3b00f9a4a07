"""Progressive growing: training starts with small images and adds resolutions one by one.

Progressive Growing of GANs for Improved Quality, Stability, and Variation (Karras, Aila, Laine and
Lehtinen, 2018). Both players begin at the coarsest resolution. Each finer one is faded in: for a
while, generator, discriminator and real images are a mixture of two resolutions.

`level` is the growth stage: 2.0 is the third resolution alone, 2.3 the third with 0.3 of the
fourth. It is a buffer, so that a checkpoint stores its resolution.
"""

from itertools import pairwise
from math import ceil, floor

import torch
from pydantic.dataclasses import dataclass
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.models.base import AdversarialModel, Generator, Pyramid, Shape
from ganvas.models.dcgan import LARGEST_MODERN, check_sides
from ganvas.models.layers import (
    GAIN,
    Convolution,
    Latent,
    SpectralNorm,
    Width,
    bound,
    leaky,
    smaller,
    spectrally_normalise,
)
from ganvas.models.pyramid import (
    Coarsest,
    Halving,
    LastBlock,
    channels,
    doublings,
    enlarge,
    resolutions,
)
from ganvas.models.spec import EQUALISED, ModelSpec, pyramid_table
from ganvas.runtime.rng import Stream
from ganvas.runtime.validation import STRICT

FULL_SIZE = 0.4  # fraction of the run at full size, after all fading
MORE = 4  # times the usual batch at most, at small resolutions with cheap steps


@dataclass(frozen=True, config=STRICT)
class ProgressiveSettings:
    """Architecture of the progressively growing GAN."""

    latent: Latent = 128
    width: Width = 16
    spectral_norm: SpectralNorm = False


def level_at(fraction: float, count: int) -> float:
    """The level at this fraction of the run: each resolution alone, then fading to the next.

    All resolutions but the last take equal fractions of the run alone and while fading.
    """
    if count == 1:
        return 0.0
    part = (1 - FULL_SIZE) / (2 * (count - 1))
    parts = fraction / part
    level, within = divmod(parts, 2.0)
    return min(count - 1.0, level + max(0.0, within - 1.0))


class ProgressiveGenerator(Generator):
    """A generator of blocks that double the sides; the first blocks up to the level are in use."""

    level: Tensor

    def __init__(self, settings: ProgressiveSettings, shape: Shape, classes: int) -> None:
        super().__init__()
        self.latent, self.shape, self.classes = settings.latent, shape, classes
        self.register_buffer("level", torch.zeros((), dtype=torch.float64))
        widths = channels(settings.width, shape)
        self.start = Coarsest(settings.latent, classes, widths[0], resolutions(shape)[0])
        self.blocks = doublings(widths)
        self.to_rgb = nn.ModuleList(Convolution(width, shape[0], 1) for width in widths)

    def grow(self, fraction: float) -> None:
        # The level never falls: a run may start from a trained generator.
        self.level.clamp_(min=level_at(fraction, len(self.to_rgb)))

    def drawn(self, latents: Tensor, level: float) -> Tensor:
        """Images at the resolution of this level."""
        before, now = floor(level), ceil(level)
        x = self.start(latents)
        for block in self.blocks[:before]:
            x = block(x)
        image = bound(self.to_rgb[before](x).float())
        if now > before:
            finer = bound(self.to_rgb[now](self.blocks[before](x)).float())
            image = twice(image).lerp(finer, level - before)
        return image

    def forward(self, latents: Tensor) -> Pyramid:
        return [enlarge(self.drawn(latents, float(self.level)), self.shape)]

    def growth(self, latents: Tensor) -> Pyramid:
        levels = range(floor(float(self.level)) + 1)
        return [self.drawn(latents, float(level)) for level in levels]


class ProgressiveDiscriminator(nn.Module):
    """The generator's mirror: blocks that halve the sides; those up to the level are in use."""

    level: Tensor

    def __init__(self, settings: ProgressiveSettings, shape: Shape, classes: int) -> None:
        super().__init__()
        self.register_buffer("level", torch.zeros((), dtype=torch.float64))
        widths = channels(settings.width, shape)
        self.from_rgb = nn.ModuleList(
            Convolution(shape[0], width, 1, gain=GAIN) for width in widths
        )
        self.blocks = nn.ModuleList(Halving(fine, coarse) for coarse, fine in pairwise(widths))
        self.last = LastBlock(widths[0], widths[0], resolutions(shape)[0], classes)
        if settings.spectral_norm:
            spectrally_normalise(self)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        level = float(self.level)
        before, now = floor(level), ceil(level)
        x = leaky(self.from_rgb[now](images))
        if now > before:
            coarse = leaky(self.from_rgb[before](smaller(images)))
            x = coarse.lerp(self.blocks[before](x), level - before)
        for block in reversed(self.blocks[:before]):
            x = block(x)
        scores: Tensor = self.last(x, labels)
        return scores


class ProgressiveGAN(AdversarialModel):
    """The progressively growing GAN: both players grow together."""

    generator: ProgressiveGenerator
    discriminator: ProgressiveDiscriminator
    stages = tuple((i + 0.5) / 10 for i in range(10))

    def __init__(self, settings: ProgressiveSettings, shape: Shape, classes: int = 0) -> None:
        super().__init__()
        check_sides("progressive", shape, LARGEST_MODERN)
        self.generator = ProgressiveGenerator(settings, shape, classes)
        self.discriminator = ProgressiveDiscriminator(settings, shape, classes)

    def layers_from_input(self) -> list[list[nn.Module]]:
        player = self.discriminator
        return [[*player.from_rgb], *([block] for block in reversed(player.blocks))]

    def grow(self, fraction: float) -> None:
        self.generator.grow(fraction)
        self.discriminator.level.copy_(self.generator.level)

    def batch(self, usual: int) -> int:
        coarser = len(self.generator.to_rgb) - 1 - ceil(float(self.generator.level))
        return usual * min(MORE, int(2**coarser))

    def fake(self, latents: Tensor, stream: Stream) -> Pyramid:
        return [self.generator.drawn(latents, float(self.generator.level))]

    def view(self, real: Tensor) -> Pyramid:
        """Real images at the current resolution, mixed with the coarser one like generated ones."""
        level = float(self.generator.level)
        for _ in range(len(self.generator.to_rgb) - 1 - ceil(level)):
            real = smaller(real)
        if level > floor(level):
            real = twice(smaller(real)).lerp(real, level - floor(level))
        return [real]


def twice(images: Tensor) -> Tensor:
    """Upsample images by 2, by nearest neighbour."""
    return F.interpolate(images, scale_factor=2.0, mode="nearest")


SPEC = ModelSpec(
    "progressive",
    "grows from 4x4 to the image",
    ProgressiveGAN,
    ProgressiveSettings,
    recipe={"game": EQUALISED},
    budget_table=pyramid_table,
)
