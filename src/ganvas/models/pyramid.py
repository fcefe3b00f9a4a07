"""Shared parts of models with several resolutions: sides, widths, and up and down blocks.

After Progressive Growing of GANs (Karras, Aila, Laine and Lehtinen, 2018): no normalisation over
the batch, equalised learning rates, pixel norm in the generator, and the minibatch standard
deviation in the discriminator.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.models.base import Pyramid, Shape
from ganvas.models.dcgan import sides
from ganvas.models.layers import (
    GAIN,
    Convolution,
    Dense,
    Head,
    Resample,
    flat,
    leaky,
    on_sphere,
    pixel_norm,
    smaller,
    with_spread,
)

WIDEST = 8  # times the finest layer's channels


def resolutions(shape: Shape) -> list[tuple[int, int]]:
    """Heights and widths, coarsest first; the last is the image's."""
    return sides(shape)[::-1]


def channels(finest: int, shape: Shape) -> list[int]:
    """Channels at each resolution, coarsest first: doubled from finer to coarser, up to a limit."""
    count = len(resolutions(shape))
    return [finest * min(WIDEST, 2 ** (count - 1 - level)) for level in range(count)]


class Coarsest(nn.Module):
    """Normalised latents to activations of the coarsest resolution."""

    def __init__(self, latent: int, classes: int, width: int, sides: tuple[int, int]) -> None:
        super().__init__()
        self.latent, self.shape = latent, (width, *sides)
        self.dense = Dense(latent + classes, prod(self.shape), gain=GAIN)
        self.convolution = Convolution(width, width, gain=GAIN)

    def forward(self, latents: Tensor) -> Tensor:
        x = self.dense(on_sphere(latents, self.latent)).unflatten(1, self.shape)
        return pixel_norm(leaky(self.convolution(pixel_norm(leaky(x)))))


class Doubling(nn.Module):
    """A block that doubles the sides of activations."""

    def __init__(self, fan_in: int, fan_out: int) -> None:
        super().__init__()
        self.first = Convolution(fan_in, fan_out, resample=Resample.DOUBLE, gain=GAIN)
        self.second = Convolution(fan_out, fan_out, gain=GAIN)

    def forward(self, x: Tensor) -> Tensor:
        x = pixel_norm(leaky(self.first(x)))
        return pixel_norm(leaky(self.second(x)))


class Halving(nn.Module):
    """A block that halves the sides of activations."""

    def __init__(self, fan_in: int, fan_out: int) -> None:
        super().__init__()
        self.first = Convolution(fan_in, fan_in, gain=GAIN)
        self.second = Convolution(fan_in, fan_out, resample=Resample.HALVE, gain=GAIN)

    def forward(self, x: Tensor) -> Tensor:
        return leaky(self.second(leaky(self.first(x))))


class LastBlock(nn.Module):
    """Activations of the coarsest resolution to logits (N,), with minibatch standard deviation."""

    def __init__(self, fan_in: int, width: int, sides: tuple[int, int], classes: int) -> None:
        super().__init__()
        self.convolution = Convolution(fan_in + 1, width, gain=GAIN)
        self.hidden = Dense(width * prod(sides), width, gain=GAIN)
        self.head = Head(Dense, width, classes)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        x = leaky(self.convolution(with_spread(x)))
        scores: Tensor = self.head(leaky(self.hidden(flat(x))), labels)
        return scores


def doublings(widths: Sequence[int]) -> nn.ModuleList:
    """Blocks from each resolution to the next finer one."""
    return nn.ModuleList(Doubling(coarse, fine) for coarse, fine in pairwise(widths))


def pyramid(images: Tensor, count: int) -> Pyramid:
    """Images (N, C, H, W) at `count` resolutions, coarsest first, each half of the next."""
    pyramid = [images]
    for _ in range(count - 1):
        pyramid.append(smaller(pyramid[-1]))
    return pyramid[::-1]


def enlarge(images: Tensor, shape: Shape) -> Tensor:
    """Upsample images to the sides of `shape`, by nearest neighbour."""
    if images.shape[2:] == shape[1:]:
        return images
    return F.interpolate(images, shape[1:], mode="nearest")
