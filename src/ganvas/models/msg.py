"""MSG-GAN: gradients reach every resolution at once.

MSG-GAN: Multi-Scale Gradients for Generative Adversarial Networks (Karnewar and Wang, 2020). The
generator outputs the image at every resolution. One discriminator sees them all, each merged into
its activations of the same sides. Nothing grows, and coarse layers learn from the first step.
"""

from itertools import pairwise
from typing import Annotated, Literal

import torch
from pydantic import Field
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

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
    with_spread,
)
from ganvas.models.pyramid import (
    Coarsest,
    LastBlock,
    channels,
    doublings,
    pyramid,
    resolutions,
)
from ganvas.models.spec import EQUALISED, ModelSpec, pyramid_table
from ganvas.runtime.validation import STRICT

Combine = Literal["simple", "lin-cat", "cat-lin"]


@dataclass(frozen=True, config=STRICT)
class MSGSettings:
    """Architecture of the multi-scale GAN."""

    latent: Latent = 128
    width: Width = 16
    combine: Annotated[
        Combine,
        Field(description="How the discriminator merges each image with its activations."),
    ] = "simple"
    spectral_norm: SpectralNorm = False


class MSGGenerator(Generator):
    """A generator with an output image at every resolution."""

    def __init__(self, settings: MSGSettings, shape: Shape, classes: int) -> None:
        super().__init__()
        self.latent, self.shape, self.classes = settings.latent, shape, classes
        widths = channels(settings.width, shape)
        self.start = Coarsest(settings.latent, classes, widths[0], resolutions(shape)[0])
        self.blocks = doublings(widths)
        self.to_rgb = nn.ModuleList(Convolution(width, shape[0], 1) for width in widths)

    def forward(self, latents: Tensor) -> Pyramid:
        x = self.start(latents)
        pyramid = [self.to_rgb[0](x)]
        for block, to_rgb in zip(self.blocks, self.to_rgb[1:], strict=True):
            x = block(x)
            pyramid.append(to_rgb(x))
        return [bound(image.float()) for image in pyramid]

    def growth(self, latents: Tensor) -> Pyramid:
        return self.forward(latents)


class Merging(nn.Module):
    """A discriminator block that merges an image into activations, with `width` output channels."""

    def __init__(self, combine: Combine, image: int, before: int, width: int) -> None:
        super().__init__()
        self.first: nn.Module = nn.Identity()
        self.last: nn.Module = nn.Identity()
        seen = image
        if combine == "lin-cat":
            seen = max(image, before // 2)
            self.first = Convolution(image, seen, 1)
        if combine == "cat-lin":
            self.last = Convolution(image + before, before, 1)
        together = before if combine == "cat-lin" else seen + before
        self.convolution = Convolution(together + 1, width, gain=GAIN)
        self.narrow = Convolution(width, width, gain=GAIN)

    def forward(self, x: Tensor, image: Tensor) -> Tensor:
        x = self.last(torch.cat([self.first(image.to(x.dtype)), x], 1))
        return leaky(self.narrow(leaky(self.convolution(with_spread(x)))))


class MSGDiscriminator(nn.Module):
    """A discriminator from the finest image down, into which each coarser one is merged."""

    def __init__(self, settings: MSGSettings, shape: Shape, classes: int) -> None:
        super().__init__()
        widths = channels(settings.width, shape)[::-1]
        self.from_rgb = Convolution(shape[0], widths[0], 1, gain=GAIN)
        self.finest = Convolution(widths[0] + 1, widths[0], gain=GAIN)
        self.blocks = nn.ModuleList(
            Merging(settings.combine, shape[0], before, width) for before, width in pairwise(widths)
        )
        self.last = LastBlock(widths[-1], widths[-1], resolutions(shape)[0], classes)
        if settings.spectral_norm:
            spectrally_normalise(self)

    def forward(self, pyramid: Pyramid, labels: Tensor) -> Tensor:
        finest, *coarser = pyramid[::-1]
        x = leaky(self.finest(with_spread(leaky(self.from_rgb(finest)))))
        for block, image in zip(self.blocks, coarser, strict=True):
            x = block(smaller(x), image)
        scores: Tensor = self.last(x, labels)
        return scores


class MSGGAN(AdversarialModel):
    """The multi-scale GAN: the discriminator sees every resolution of the generator."""

    generator: MSGGenerator
    discriminator: MSGDiscriminator

    def __init__(self, settings: MSGSettings, shape: Shape, classes: int = 0) -> None:
        super().__init__()
        check_sides("msg", shape, LARGEST_MODERN)
        self.generator = MSGGenerator(settings, shape, classes)
        self.discriminator = MSGDiscriminator(settings, shape, classes)
        self.count = len(resolutions(shape))

    def layers_from_input(self) -> list[list[nn.Module]]:
        player = self.discriminator
        return [[player.from_rgb, player.finest], *([block] for block in player.blocks)]

    def view(self, real: Tensor) -> Pyramid:
        return pyramid(real, self.count)

    def discriminate(self, pyramid: Pyramid, labels: Tensor) -> Tensor:
        scores: Tensor = self.discriminator(pyramid, labels)
        return scores.float()


SPEC = ModelSpec(
    "msg",
    "multi-scale gradients: all sizes at once",
    MSGGAN,
    MSGSettings,
    recipe={"game": EQUALISED},
    budget_table=pyramid_table,
)
