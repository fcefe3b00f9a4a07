"""A small residual GAN, fast on small machines: the default model for images.

The relativistic loss with R1 and R2 (see SPEC below) and the residual blocks are those of The
GAN is dead; long live the GAN! (Huang, Gokaslan, Kuleshov and Tompkin, 2024). Pixel norm in the
generator is that of Progressive Growing of GANs (Karras et al., 2018). The gates from the coarsest
resolution to finer ones are the skip-layer excitation of Towards Faster and Stabilized GAN Training
(Liu, Zhu, Song and Elgammal, 2021), which has them between other resolutions. Nothing is normalised
over the batch.

Residual blocks are at the coarsest resolutions, where they are cheap and decide the content; for
coloured images only with enough time for them (the rows of COLOURED). Each finer resolution has one
convolution, which is fused with the upsampling filter, or learnt together with it for grey images
and small budgets. Measurements of each part: benchmarks/NOTES.md.

Images may double in size while it trains, as in Progressive Growing: a step on images of half the
size takes a fraction of the time, and shows as much of their shapes. Instead of fading from one
size to the next, the generator adds to the enlarged image what the new layer draws, as in StyleGAN2
(Karras et al., 2020), and the discriminator adds what the new layer sees; both are 0 at first.
"""

from functools import reduce
from itertools import pairwise
from math import prod
from typing import Annotated, Literal

import torch
from pydantic import Field
from pydantic.dataclasses import dataclass
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.models.base import (
    AdversarialModel,
    Generator,
    Pyramid,
    Shape,
    UnsuitableOptionError,
)
from ganvas.models.dcgan import LARGEST_MODERN, check_sides, features, sides, widths
from ganvas.models.layers import (
    GAIN,
    MOST_LAYERS,
    Head,
    Latent,
    SpectralNorm,
    Width,
    bound,
    flat,
    leaky,
    learnt_weight,
    on_sphere,
    pixel_norm,
    smaller,
    spectrally_normalise,
)
from ganvas.models.pyramid import pyramid
from ganvas.models.spec import MODERN, BudgetRow, ModelSpec
from ganvas.models.spread import (
    SPREAD,
    FilteredDoubling,
    Gate,
    Halving,
    LearntDoubling,
    Linear,
    Residual,
)
from ganvas.runtime.rng import Stream
from ganvas.runtime.validation import STRICT

WIDEST = 4  # times the finest layer's channels: half as wide as usual, and a fifth faster at 64x64
GATED = 2  # resolutions without a gate, from the coarsest
SMALL = 2 / 3  # fraction of a run at smaller sizes, if images double in size
MOST_DOUBLINGS = 2


@dataclass(frozen=True, config=STRICT)
class CompactSettings:
    """Architecture of the small residual GAN."""

    latent: Latent = 100
    width: Width = 32
    blocks: Annotated[
        int,
        Field(
            ge=0,
            le=MOST_LAYERS,
            description="Number of resolutions with a residual block, from the coarsest.",
        ),
    ] = 2
    upsampling: Annotated[
        Literal["filtered", "learnt"],
        Field(description="Upsampling in all layers but the last."),
    ] = "filtered"
    doublings: Annotated[
        int,
        Field(
            ge=0,
            le=MOST_DOUBLINGS,
            description="How often images double in size during training.",
            json_schema_extra={
                "default": "by image size: 2 from 128x128, otherwise 0; 0 for --discriminator own"
            },
        ),
    ] = 0
    spectral_norm: SpectralNorm = False


def most_doublings(shape: Shape) -> int:
    """How often images of this shape may double in size: two layers of the generator stay."""
    return min(MOST_DOUBLINGS, max(0, len(sides(shape)) - 3))


def halvings_at(fraction: float, doublings: int) -> int:
    """How often images are halved at this fraction of the run, in [0, 1]; 0 in its last third."""
    passed = int(fraction * doublings / SMALL)
    return max(0, doublings - passed)


UPSAMPLING = {"filtered": FilteredDoubling, "learnt": LearntDoubling}


def _blocks(channels: list[int], count: int) -> list[nn.Module]:
    """A residual block for each of the `count` coarsest resolutions, identities for the others."""
    return [
        Residual(width) if level < count else nn.Identity() for level, width in enumerate(channels)
    ]


class CompactGenerator(Generator):
    """Up-convolutions, with residual blocks at the coarsest resolutions and gates at finer ones."""

    halvings: Tensor | None
    """How often images are halved now; None if they never are."""

    def __init__(self, settings: CompactSettings, shape: Shape, classes: int) -> None:
        super().__init__()
        self.latent, self.shape, self.classes = settings.latent, shape, classes
        channels = widths(settings.width, shape, WIDEST)[::-1]
        self.coarsest = (channels[0], *sides(shape)[-1])
        self.dense = Linear(settings.latent + classes, prod(self.coarsest), GAIN)
        doubling = UPSAMPLING[settings.upsampling]
        self.ups = nn.ModuleList(doubling(coarse, fine) for coarse, fine in pairwise(channels))
        self.blocks = nn.ModuleList(_blocks(channels, settings.blocks))
        self.gates = nn.ModuleList(Gate(prod(self.coarsest), width) for width in channels[GATED:])
        self.to_rgb = FilteredDoubling(channels[-1], shape[0], 1.0)
        self.to_small = nn.ModuleList(
            FilteredDoubling(width, shape[0], 1.0)
            for width in channels[-1 - settings.doublings : -1]
        )
        for finer in [*self.to_small, self.to_rgb][1:]:
            nn.init.zeros_(finer.weight)
        self.register_buffer("halvings", _halvings(settings))

    def grow(self, fraction: float) -> None:
        if self.halvings is not None:
            # They never rise again: a run may start from a trained generator.
            self.halvings.clamp_(max=halvings_at(fraction, len(self.to_small)))

    def forward(self, latents: Tensor) -> Pyramid:
        image = self.drawn(latents)
        return [image if image.shape[2:] == self.shape[1:] else enlarged(image, self.shape[1:])]

    def drawn(self, latents: Tensor) -> Tensor:
        """Images at the present size: what every layer from the smallest size on draws, added."""
        x = self.dense(on_sphere(latents, self.latent)).unflatten(1, self.coarsest)
        x = self.blocks[0](pixel_norm(leaky(x)))
        coarsest = x.flatten(1)
        drawing = dict(enumerate([*self.to_small, self.to_rgb], len(self.ups) - len(self.to_small)))
        images: list[Tensor] = []
        for level in range(1, len(self.ups) + 1 - _number(self.halvings)):
            x = pixel_norm(leaky(self.ups[level - 1](x)))
            if level >= GATED:
                x = x * self.gates[level - GATED](coarsest).to(x.dtype)
            x = self.blocks[level](x)
            if level in drawing:
                images.append(drawing[level](x).float())
        return bound(reduce(_added, images))


class CompactDiscriminator(nn.Module):
    """The mirror of the generator, without pixel norm and gates."""

    halvings: Tensor | None
    """As in the generator."""

    def __init__(self, settings: CompactSettings, shape: Shape, classes: int) -> None:
        super().__init__()
        channels = widths(settings.width, shape, WIDEST)
        steps = pairwise([shape[0], *channels])
        downs = [Halving(fine, coarse) for fine, coarse in steps]
        self.downs = nn.ModuleList(downs)
        self.from_small = nn.ModuleList(
            Halving(shape[0], width) for width in channels[1 : 1 + settings.doublings]
        )
        # A weight of a fixed size, as spectral normalisation makes it, cannot begin at 0.
        for down in [] if settings.spectral_norm else downs[1 : 1 + settings.doublings]:
            nn.init.zeros_(down.weight)
        self.blocks = nn.ModuleList(_blocks(channels[::-1], settings.blocks)[::-1])
        self.head = Head(Linear, features(settings.width, shape, WIDEST), classes)
        self.register_buffer("halvings", _halvings(settings))
        if settings.spectral_norm:
            spectrally_normalise(self)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        x, first = images, _number(self.halvings)
        for level in range(first, len(self.downs)):
            seen = [self.downs[level](x)] if level == 0 or level > first else []
            if 0 < level <= len(self.from_small):
                images = images if level == first else smaller(images)
                seen.append(self.from_small[level - 1](images))
            x = self.blocks[level](leaky(sum(seen)))
        scores: Tensor = self.head(flat(x), labels)
        return scores


def enlarged(images: Tensor, sides: tuple[int, ...]) -> Tensor:
    """Images (N, C, H, W) at larger sides, bilinearly."""
    return F.interpolate(images, sides, mode="bilinear")


def _added(coarse: Tensor, fine: Tensor) -> Tensor:
    return enlarged(coarse, fine.shape[2:]) + fine


def _halvings(settings: CompactSettings) -> Tensor | None:
    """How often images are halved at first; nothing to store if they never are."""
    return torch.tensor(settings.doublings) if settings.doublings else None


def _number(halvings: Tensor | None) -> int:
    """The same as a number."""
    return 0 if halvings is None else int(halvings)


class CompactGAN(AdversarialModel):
    """The small residual GAN."""

    generator: CompactGenerator
    discriminator: CompactDiscriminator
    scores_alone = True

    def __init__(self, settings: CompactSettings, shape: Shape, classes: int = 0) -> None:
        super().__init__()
        check_sides("compact", shape, LARGEST_MODERN)
        if settings.doublings > (most := most_doublings(shape)):
            raise UnsuitableOptionError(
                f"--doublings {settings.doublings}: images of {shape[1]}x{shape[2]} can double in "
                f"size {most} times at most; leave it out."
            )
        self.generator = CompactGenerator(settings, shape, classes)
        self.discriminator = CompactDiscriminator(settings, shape, classes)
        self.doublings = settings.doublings
        if settings.doublings:
            self.stages = (1 / 6, 3 / 6, 5 / 6)  # each size has one of these, or several

    def layers_from_input(self) -> list[list[nn.Module]]:
        player = self.discriminator
        layers = [[down, block] for down, block in zip(player.downs, player.blocks, strict=True)]
        for parallel, layer in zip(layers[1:], player.from_small, strict=False):
            parallel.append(layer)
        return layers

    def grow(self, fraction: float) -> None:
        self.generator.grow(fraction)
        if self.generator.halvings is not None and self.discriminator.halvings is not None:
            self.discriminator.halvings.copy_(self.generator.halvings)

    def fake(self, latents: Tensor, stream: Stream) -> Pyramid:
        return [self.generator.drawn(latents)]

    def view(self, real: Tensor) -> Pyramid:
        return pyramid(real, 1 + _number(self.generator.halvings))[:1]

    def lr_multipliers(self) -> dict[str, float]:
        return {
            f"{name}.{learnt_weight(layer)}": layer.spread
            for name, layer in self.named_modules()
            if isinstance(layer, SPREAD)
        }


# At 10,000 steps widths 48 and 32 are level. The number of steps from which blocks pay is a guess.
COLOURED = (
    BudgetRow(width=16, batch=32, blocks=0, steps=0),
    BudgetRow(width=32, batch=32, blocks=0, steps=1_500),
    BudgetRow(width=48, batch=32, blocks=0, steps=15_000),
    BudgetRow(width=48, batch=32, blocks=2, steps=60_000),
    BudgetRow(width=64, batch=32, blocks=2, steps=120_000),
)
# Grey images are easier, so steps count more. Twice the batch needs twice the learning rate.
GREY = (
    BudgetRow(width=16, batch=32, upsampling="learnt", steps=0),
    BudgetRow(width=16, batch=64, upsampling="learnt", lr=0.04, steps=1_000),
    BudgetRow(width=24, batch=32, steps=3_000),
    BudgetRow(width=32, batch=32, steps=5_000),
    BudgetRow(width=32, batch=64, steps=40_000),
    BudgetRow(width=48, batch=64, steps=80_000),
)
# Beside a pretrained network a wider generator costs relatively less. The last row is a guess.
TAUGHT = (
    BudgetRow(width=16, batch=32, blocks=0, steps=0),
    BudgetRow(width=32, batch=32, blocks=0, steps=700),
    BudgetRow(width=48, batch=32, blocks=0, steps=6_000),
    BudgetRow(width=64, batch=32, blocks=2, steps=60_000),
)


def budget_table(channels: int, taught: bool) -> tuple[BudgetRow, ...]:
    """The rows that a plan chooses from; see benchmarks/NOTES.md, "Width, batch and budget"."""
    if taught:
        return TAUGHT
    return GREY if channels == 1 else COLOURED


SPEC = ModelSpec(
    "compact",
    "small, residual, quick to learn",
    CompactGAN,
    CompactSettings,
    recipe={
        "game": {
            **MODERN,
            "loss": "relativistic",
            "lr_g": 0.02,  # times each layer's learning-rate multiplier
            "lr_d": 0.02,
            "discriminator": "both",
        }
    },
    budget_table=budget_table,
    most_doublings=most_doublings,
)
