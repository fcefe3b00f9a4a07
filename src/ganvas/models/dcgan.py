"""Deep convolutional GAN.

Unsupervised Representation Learning with Deep Convolutional GANs (Radford, Metz and Chintala,
2016), with its guidelines: strided convolutions instead of pooling; batch normalisation in both
players, but not in the generator's output layer and the discriminator's input layer; ReLU in the
generator and leaky ReLU in the discriminator; weights from N(0, 0.02).
"""

from itertools import pairwise
from math import prod

from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from ganvas.models.base import AdversarialModel, Generator, Pyramid, Shape, UnsuitableSizeError
from ganvas.models.layers import (
    BatchNorm2d,
    Head,
    Latent,
    SpectralNorm,
    Width,
    draw_normal,
    spectrally_normalise,
)
from ganvas.models.spec import ModelSpec
from ganvas.runtime.validation import STRICT

SMALLEST, LARGEST, MULTIPLE = 16, 256, 8
LARGEST_MODERN = 1024  # without normalisation over the batch
COARSEST = 4  # the side at which halving stops
WIDEST = 8  # layers double in width on the way down, up to this many times the finest


@dataclass(frozen=True, config=STRICT)
class DCGANSettings:
    """Architecture of the convolutional GAN."""

    latent: Latent = 100
    width: Width = 32
    spectral_norm: SpectralNorm = False


def check_sides(name: str, shape: Shape, largest: int = LARGEST) -> None:
    """Raises UnsuitableSizeError unless both sides are multiples of 8 from 16 to the largest."""
    nearest = [min(max(_round(side), SMALLEST), largest) for side in shape[1:]]
    if nearest != list(shape[1:]):
        raise UnsuitableSizeError(
            f"{name} generates images whose sides are multiples of {MULTIPLE} from {SMALLEST} to "
            f"{largest}, not {shape[1]}x{shape[2]}; try --size {nearest[0]}x{nearest[1]}."
        )


def _round(side: int) -> int:
    return MULTIPLE * round(side / MULTIPLE)


def sides(shape: Shape) -> list[tuple[int, int]]:
    """Heights and widths from the image down to the coarsest layer, each half of the last."""
    steps = [shape[1:]]
    while all(side % 2 == 0 and side // 2 >= COARSEST for side in steps[-1]):
        steps.append((steps[-1][0] // 2, steps[-1][1] // 2))
    return steps


def widths(finest: int, shape: Shape, widest: int = WIDEST) -> list[int]:
    """Channels of each layer below the image, finest first, up to `widest` times the finest."""
    return [min(2**level, widest) * finest for level in range(len(sides(shape)) - 1)]


class DCGANGenerator(Generator):
    """Dense layer, reshape, then up-convolutions that each double the sides."""

    def __init__(self, settings: DCGANSettings, shape: Shape, classes: int = 0) -> None:
        super().__init__()
        self.latent, self.shape, self.classes = settings.latent, shape, classes
        channels = widths(settings.width, shape)[::-1]
        coarsest = (channels[0], *sides(shape)[-1])
        self.start = nn.Sequential(
            nn.Linear(settings.latent + classes, prod(coarsest), bias=False),
            nn.Unflatten(1, coarsest),
            BatchNorm2d(channels[0]),
            nn.ReLU(inplace=True),
        )
        self.blocks = nn.Sequential(
            *(_up(fan_in, fan_out) for fan_in, fan_out in pairwise(channels))
        )
        self.to_rgb = nn.ConvTranspose2d(channels[-1], shape[0], 4, 2, 1)
        self.apply(draw_weights)

    def forward(self, latents: Tensor) -> Pyramid:
        return [self.to_rgb(self.blocks(self.start(latents))).float().tanh()]


def _up(fan_in: int, fan_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose2d(fan_in, fan_out, 4, 2, 1, bias=False),
        BatchNorm2d(fan_out),
        nn.ReLU(inplace=True),
    )


def downward(finest: int, shape: Shape) -> nn.Sequential:
    """The generator's mirror: strided convolutions to `features(finest, shape)` numbers."""
    channels = widths(finest, shape)
    blocks = [_down(fan_in, fan_out) for fan_in, fan_out in pairwise(channels)]
    network = nn.Sequential(
        nn.Conv2d(shape[0], channels[0], 4, 2, 1),
        nn.LeakyReLU(0.2, inplace=True),
        *blocks,
        nn.Flatten(),
    )
    return network.apply(draw_weights)


def features(finest: int, shape: Shape, widest: int = WIDEST) -> int:
    """Number of features of an image after the strided convolutions."""
    return widths(finest, shape, widest)[-1] * prod(sides(shape)[-1])


def _down(fan_in: int, fan_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(fan_in, fan_out, 4, 2, 1, bias=False),
        BatchNorm2d(fan_out),
        nn.LeakyReLU(0.2, inplace=True),
    )


def draw_weights(layer: nn.Module) -> None:
    """Weights from N(0, 0.02), as in the paper."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        draw_normal(layer.weight, 0.0, 0.02)
    if isinstance(layer, BatchNorm2d):
        draw_normal(layer.weight, 1.0, 0.02)


class DCGANDiscriminator(nn.Module):
    """Strided convolutions, then one dense layer."""

    def __init__(self, settings: DCGANSettings, shape: Shape, classes: int) -> None:
        super().__init__()
        count = features(settings.width, shape)
        self.layers = downward(settings.width, shape)
        self.head = Head(nn.Linear, count, classes).apply(draw_weights)
        if settings.spectral_norm:
            spectrally_normalise(self)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        scores: Tensor = self.head(self.layers(images), labels)
        return scores


class DCGAN(AdversarialModel):
    """The convolutional GAN: a generator and its mirror."""

    discriminator: DCGANDiscriminator

    def __init__(self, settings: DCGANSettings, shape: Shape, classes: int = 0) -> None:
        super().__init__()
        check_sides("dcgan", shape)
        self.generator = DCGANGenerator(settings, shape, classes)
        self.discriminator = DCGANDiscriminator(settings, shape, classes)

    def layers_from_input(self) -> list[list[nn.Module]]:
        first, _, *blocks, _ = self.discriminator.layers
        return [[first], *([block] for block in blocks)]


SPEC = ModelSpec("dcgan", "convolutional, 16 to 256 pixels a side", DCGAN, DCGANSettings)
