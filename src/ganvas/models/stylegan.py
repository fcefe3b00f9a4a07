"""StyleGAN: latents are mapped to styles, and a style modulates every layer.

A Style-Based Generator Architecture for Generative Adversarial Networks (Karras, Laine and Aila,
2019), as improved in Analyzing and Improving the Image Quality of StyleGAN (Karras et al., 2020):
weights modulated and demodulated, images summed over resolutions, a residual discriminator, and no
progressive growing. Widths and latents are sized for small machines, not as in the paper.
"""

from itertools import pairwise
from math import prod, sqrt
from typing import Annotated

import torch
from pydantic import Field
from pydantic.dataclasses import dataclass
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.models.base import AdversarialModel, Generator, Pyramid, Shape
from ganvas.models.dcgan import LARGEST_MODERN, check_sides
from ganvas.models.layers import (
    BINOMIAL,
    GAIN,
    MOST_LAYERS,
    Convolution,
    Dense,
    Latent,
    Resample,
    SpectralNorm,
    Width,
    bound,
    convolve,
    double,
    from_normal,
    joining,
    leaky,
    on_sphere,
    spectrally_normalise,
)
from ganvas.models.pyramid import LastBlock, channels, resolutions
from ganvas.models.spec import EQUALISED, ModelSpec, pyramid_table
from ganvas.runtime.distributed import moments
from ganvas.runtime.rng import Stream
from ganvas.runtime.validation import STRICT

SLOWER = 0.01  # learning-rate multiplier of the mapping network
MEMORY = 0.995  # decay of the mean style from step to step


@dataclass(frozen=True, config=STRICT)
class StyleGANSettings:
    """Architecture of the style-based GAN."""

    latent: Latent = 128
    width: Width = 16
    mapping: Annotated[
        int, Field(ge=1, le=MOST_LAYERS, description="Number of layers of the mapping network.")
    ] = 2
    mixing: Annotated[
        float, Field(ge=0, le=1, description="Style mixing probability during training.")
    ] = 0.9
    spectral_norm: SpectralNorm = False


class Modulated(nn.Module):
    """A convolution whose weights are modulated by each image's style, then demodulated.

    w' = s_i w and w'' = w' / sqrt(sum w'^2), equations 1 and 3 of the second paper. Scaling the
    activations before and after one convolution for all images is equivalent; a separate
    convolution for each image would be slower on every device.
    """

    filter: Tensor

    def __init__(
        self, fan_in: int, fan_out: int, style: int, resample: Resample | None = None
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(from_normal(fan_out, fan_in, 3, 3))
        self.scale, self.resample = 1 / (3 * sqrt(fan_in)), resample
        self.affine = Dense(style, fan_in, bias=1.0)
        self.register_buffer("filter", joining(3, BINOMIAL), persistent=False)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        gains, weight = self.affine(style), self.weight * self.scale
        x = convolve(x * _everywhere(gains, x), weight, None, self.resample, self.filter)
        return x * _everywhere(demodulation(weight, gains), x)


class ToRGB(nn.Module):
    """A 1x1 convolution from activations to an image, modulated but not demodulated."""

    def __init__(self, fan_in: int, colours: int, style: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(from_normal(colours, fan_in, 1, 1))
        self.scale, self.affine = 1 / sqrt(fan_in), Dense(style, fan_in, bias=1.0)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        return F.conv2d(x * _everywhere(self.affine(style), x), self.weight * self.scale)


def demodulation(weight: Tensor, gains: Tensor) -> Tensor:
    """Factors (N, O) that bring every output back to unit variance, in fp32."""
    squares = gains.float().square() @ weight.float().square().sum((2, 3)).T
    return (squares + 1e-8).rsqrt()


def _everywhere(factors: Tensor, x: Tensor) -> Tensor:
    return factors.to(x.dtype)[:, :, None, None]


class Styled(nn.Module):
    """A modulated convolution, noise, bias and activation, optionally after upsampling."""

    noise: Tensor

    def __init__(
        self,
        fan_in: int,
        fan_out: int,
        style: int,
        sides: tuple[int, int],
        resample: Resample | None = None,
    ) -> None:
        super().__init__()
        self.convolution = Modulated(fan_in, fan_out, style, resample)
        self.bias = nn.Parameter(torch.zeros(fan_out))
        self.strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("noise", from_normal(1, 1, *sides))

    def forward(self, x: Tensor, style: Tensor, stream: Stream | None) -> Tensor:
        x = self.convolution(x, style)
        noise = self.noise
        if stream is not None:
            noise = stream.normal(len(x), *self.noise.shape[1:])
        x = x + (self.strength * noise).to(x.dtype)
        return leaky(x + self.bias.to(x.dtype)[:, None, None]) * GAIN


class StyleGANGenerator(Generator):
    """A mapping network from latents to styles, and a synthesis network from styles to images."""

    mean_style: Tensor

    def __init__(self, settings: StyleGANSettings, shape: Shape, classes: int) -> None:
        super().__init__()
        self.latent, self.shape, self.classes = settings.latent, shape, classes
        widths, all_sides = channels(settings.width, shape), resolutions(shape)
        size = settings.latent
        self.mapping = nn.ModuleList(
            Dense(size if i else size + classes, size, SLOWER, gain=GAIN)
            for i in range(settings.mapping)
        )
        self.register_buffer("mean_style", torch.zeros(size))
        self.constant = nn.Parameter(from_normal(1, widths[0], *all_sides[0]))
        layers = [Styled(widths[0], widths[0], size, all_sides[0])]
        for (coarse, fine), here in zip(pairwise(widths), all_sides[1:], strict=True):
            layers.append(Styled(coarse, fine, size, here, Resample.DOUBLE))
            layers.append(Styled(fine, fine, size, here))
        self.layers = nn.ModuleList(layers)
        self.to_rgb = nn.ModuleList(ToRGB(width, shape[0], size) for width in widths)
        self.bias = nn.Parameter(torch.zeros(shape[0]))
        self.depth = 2 * len(widths)  # number of styles of an image, one a layer

    def style(self, latents: Tensor) -> Tensor:
        """Styles (N, latent) of latents (N, latent + classes)."""
        x = on_sphere(latents, self.latent)
        for layer in self.mapping:
            x = leaky(layer(x))
        return x

    def drawn(self, styles: Tensor, stream: Stream | None = None) -> Tensor:
        """Images of styles (N, depth, latent), coarse layers first.

        Noise is drawn from the stream; without one it is the same for all images.
        """
        return bound(self.sums(styles, stream)[-1].float())

    def sums(self, styles: Tensor, stream: Stream | None = None) -> Pyramid:
        """The image sums at every resolution, before they are bounded to [-1, 1]."""
        x = self.constant.expand(len(styles), -1, -1, -1)
        x = self.layers[0](x, styles[:, 0], stream)
        bias = self.bias.to(x.dtype)[:, None, None]
        images = [self.to_rgb[0](x, styles[:, 1]) + bias]
        for level, to_rgb in enumerate(self.to_rgb[1:], 1):
            x = self.layers[2 * level - 1](x, styles[:, 2 * level - 1], stream)
            x = self.layers[2 * level](x, styles[:, 2 * level], stream)
            images.append(double(images[-1]) + to_rgb(x, styles[:, 2 * level + 1]))
        return images

    def repeated(self, style: Tensor) -> Tensor:
        """Repeat one style (N, latent) for all layers: (N, depth, latent)."""
        return style[:, None].expand(-1, self.depth, -1)

    def styles(self, latents: Tensor, truncation: float) -> Tensor:
        # The truncation trick: section B of the first paper.
        return self.repeated(self.mean_style.lerp(self.style(latents).float(), truncation))

    def styled(self, styles: Tensor) -> Pyramid:
        return [self.drawn(styles)]

    def forward(self, latents: Tensor) -> Pyramid:
        return self.styled(self.repeated(self.style(latents)))

    def growth(self, latents: Tensor) -> Pyramid:
        return [bound(sum.float()) for sum in self.sums(self.repeated(self.style(latents)))]


class Residual(nn.Module):
    """A residual block that halves the sides."""

    def __init__(self, fan_in: int, fan_out: int) -> None:
        super().__init__()
        self.first = Convolution(fan_in, fan_in, gain=GAIN)
        # These gains keep the variance of the sum; the paper divides the sum by sqrt(2) instead.
        self.second = Convolution(fan_in, fan_out, 3, Resample.HALVE, BINOMIAL, gain=1.0)
        self.shortcut = Convolution(fan_in, fan_out, 1, Resample.HALVE, BINOMIAL, gain=sqrt(0.5))

    def forward(self, x: Tensor) -> Tensor:
        short: Tensor = self.shortcut(x)
        return leaky(self.second(leaky(self.first(x)))) + short


class StyleGANDiscriminator(nn.Module):
    """Residual blocks down to the coarsest resolution."""

    def __init__(self, settings: StyleGANSettings, shape: Shape, classes: int) -> None:
        super().__init__()
        widths = channels(settings.width, shape)[::-1]
        self.from_rgb = Convolution(shape[0], widths[0], 1, gain=GAIN)
        self.blocks = nn.Sequential(*(Residual(fine, coarse) for fine, coarse in pairwise(widths)))
        self.last = LastBlock(widths[-1], widths[-1], resolutions(shape)[0], classes)
        if settings.spectral_norm:
            spectrally_normalise(self)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        scores: Tensor = self.last(self.blocks(leaky(self.from_rgb(images))), labels)
        return scores


class StyleGAN(AdversarialModel):
    """The style-based GAN."""

    generator: StyleGANGenerator
    discriminator: StyleGANDiscriminator
    mean_length: Tensor

    def __init__(self, settings: StyleGANSettings, shape: Shape, classes: int = 0) -> None:
        super().__init__()
        check_sides("stylegan", shape, LARGEST_MODERN)
        self.register_buffer("mean_length", torch.zeros(()))
        self.generator = StyleGANGenerator(settings, shape, classes)
        self.discriminator = StyleGANDiscriminator(settings, shape, classes)
        self.mixing = settings.mixing

    def layers_from_input(self) -> list[list[nn.Module]]:
        player = self.discriminator
        return [[player.from_rgb], *([block] for block in player.blocks)]

    def fake(self, latents: Tensor, stream: Stream) -> Pyramid:
        style = self.generator.style(latents)
        if torch.is_grad_enabled():  # micro-batches are generated twice, once with gradients
            found = style.detach().float()
            count, mean, _ = moments(found)
            self.generator.mean_style.lerp_(mean, (1 - MEMORY) * stream.share(round(count)))
        labels = latents[:, self.generator.latent :]
        others = self.generator.draw(labels, stream)
        styles = mixed(
            self.generator.repeated(style),
            self.generator.repeated(self.generator.style(others)),
            self._crossings(len(latents), stream),
        )
        return [self.generator.drawn(styles, stream)]

    def _crossings(self, count: int, stream: Stream) -> Tensor:
        """For every image the layer from which the second style is used; `depth` means never."""
        depth = self.generator.depth
        layers = stream.integers(1, depth, count)
        chosen = stream.uniform(count) < self.mixing
        return torch.where(chosen, layers, depth)

    def path_lengths(self, latents: Tensor, stream: Stream) -> Tensor:
        """Path lengths (N,): |J^T y| for the Jacobian J of images by styles, and noise y."""
        styles = self.generator.repeated(self.generator.style(latents))
        # Before `bound`, whose gradient depends on the incoming one.
        images = self.generator.sums(styles, stream)[-1].float()
        noise = stream.normal(*images.shape)
        noise = noise / sqrt(prod(images.shape[2:]))
        (gradient,) = torch.autograd.grad((images * noise).sum(), styles, create_graph=True)
        return gradient.float().square().sum(2).mean(1).sqrt()


def mixed(one: Tensor, other: Tensor, crossings: Tensor) -> Tensor:
    """Mix styles (N, depth, latent): `one` before the crossing (N,), `other` from there on."""
    layers = torch.arange(one.shape[1], device=one.device)
    return torch.where((layers < crossings[:, None])[..., None], one, other)


SPEC = ModelSpec(
    "stylegan",
    "styles steer every layer",
    StyleGAN,
    StyleGANSettings,
    recipe={"game": {**EQUALISED, "path_length": 2.0}},
    budget_table=pyramid_table,
)
