"""Layers that several models are made of."""

from collections.abc import Callable
from enum import Enum
from math import sqrt
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, parametrize

SLOPE = 0.2  # of the leaky ReLU
GAIN = sqrt(2)  # of the layer before one: keeps the variance of what goes through (He et al., 2015)
GROUP = 4  # images whose spread is taken together
STRETCH = 1.005  # of the tanh that images end in: white at 3, where its gradient is 0.01
LEAK = 0.05  # gradient of that tanh at least

BOX = (1.0, 1.0)  # the filter of resampling, in each direction: every pixel repeated, means of four
BINOMIAL = (1.0, 3.0, 3.0, 1.0)  # smoother, as in StyleGAN
Taps = tuple[float, ...]

# Beyond these, networks do not fit into any machine, and what asks for them is a mistake.
MOST_LATENT, MOST_WIDTH, MOST_UNITS, MOST_LAYERS = 65_536, 4096, 65_536, 64

Latent = Annotated[int, Field(ge=1, le=MOST_LATENT, description="numbers in a latent vector")]
Width = Annotated[int, Field(ge=4, le=MOST_WIDTH, description="channels of the finest layer")]
SpectralNorm = Annotated[
    bool, Field(description="divide the discriminator's weights by their largest gain")
]


class Resample(Enum):
    """What else a convolution does."""

    DOUBLE = "twice the sides of its input"
    HALVE = "half the sides of its output"


class Dense(nn.Module):
    """A linear layer with an equalised learning rate.

    Progressive Growing of GANs (Karras, Aila, Laine and Lehtinen, 2018): weights are drawn from
    N(0, 1) and scaled by gain/sqrt(inputs) whenever they are used, so that Adam moves all layers by
    the same share. `rate` makes this layer learn slower than others.
    """

    def __init__(
        self, fan_in: int, fan_out: int, rate: float = 1.0, bias: float = 0.0, gain: float = 1.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(from_normal(fan_out, fan_in, over=rate))
        self.bias = nn.Parameter(torch.full((fan_out,), bias / rate))
        self.scale, self.rate = rate * gain / sqrt(fan_in), rate

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.scale, self.bias * self.rate)


class Convolution(nn.Module):
    """A convolution with an equalised learning rate, before, or after, which sides may change.

    Filter and kernel are joined into one larger kernel: convolving with it takes half the time of
    resampling on its own, which costs a CPU more than the products do (benchmarks/NOTES.md).
    """

    filter: Tensor

    def __init__(
        self,
        fan_in: int,
        fan_out: int,
        kernel: int = 3,
        resample: Resample | None = None,
        taps: Taps = BOX,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(from_normal(fan_out, fan_in, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(fan_out))
        self.scale, self.resample = gain / (kernel * sqrt(fan_in)), resample
        self.register_buffer("filter", joining(kernel, taps), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return convolve(x, self.weight * self.scale, self.bias, self.resample, self.filter)


def convolve(
    x: Tensor, weight: Tensor, bias: Tensor | None, resample: Resample | None, filter: Tensor
) -> Tensor:
    """x (N, I, H, W) convolved with a weight (O, I, K, K) that is joined to the filter if asked."""
    if resample is None:
        return F.conv2d(x, weight, bias, padding=weight.shape[2] // 2)
    size = round(sqrt(filter.shape[1]))
    joined = (weight.flatten(0, 1).flatten(1) @ filter).view(*weight.shape[:2], size, size)
    if resample is Resample.HALVE:
        return F.conv2d(x, joined, bias, stride=2, padding=size // 2 - 1)
    # Flipped, because a transposed convolution is one with its kernel turned round.
    turned = 4 * joined.transpose(0, 1).flip(2, 3)
    return F.conv_transpose2d(x, turned, bias, stride=2, padding=size // 2 - 1)


# On the meta device, which has no memory, nothing is drawn: torch would load a second's worth of
# code for numbers that nobody sees.


def draw_normal(weight: Tensor, mean: float, spread: float) -> None:
    """Weights from N(mean, spread)."""
    if not weight.is_meta:
        nn.init.normal_(weight, mean, spread)


def from_normal(*sides: int, over: float = 1.0) -> Tensor:
    """Numbers from N(0, 1), divided by `over`."""
    if torch.get_default_device().type == "meta":
        return torch.empty(sides)
    return torch.randn(sides) / over


def joining(kernel: int, taps: Taps) -> Tensor:
    """The matrix (K K, S S) by which kernels, laid flat, become kernels convolved with taps.

    It is no weight, and stands in no checkpoint: a network that is built without memory has it too.
    """
    row = torch.tensor(taps, device="cpu")
    square = torch.outer(row, row) / sum(taps) ** 2
    ones = torch.eye(kernel * kernel, device="cpu").view(-1, 1, kernel, kernel)
    return F.conv_transpose2d(ones, square[None, None]).flatten(1)


class Head(nn.Module):
    """Features (N, F) to scores (N,): how real, and how much of their class.

    cGANs with Projection Discriminator (Miyato and Koyama, 2018): with labels (N, classes) the
    product of the features and what has been learnt of the class is added. `layer` makes a linear
    layer of inputs and outputs.
    """

    def __init__(self, layer: Callable[[int, int], nn.Module], features: int, classes: int) -> None:
        super().__init__()
        self.score = layer(features, 1)
        self.projection = layer(features, classes) if classes else None

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        scores: Tensor = self.score(x).flatten()
        if self.projection is None:
            return scores
        products: Tensor = self.projection(x)
        return scores + (products * labels.to(products.dtype)).sum(1)


def flat(x: Tensor) -> Tensor:
    """Activations (N, C, H, W) to features (N, H W C), in the order in which they lie in memory.

    Gradients then come back channels-last too: where both orders meet, torch takes many times as
    long over the gradient of a leaky ReLU (benchmarks/NOTES.md)."""
    return x.permute(0, 2, 3, 1).flatten(1)


def on_sphere(latents: Tensor, size: int) -> Tensor:
    """Latents whose first `size` numbers have unit variance; the label after them stays."""
    numbers = pixel_norm(latents[:, :size])
    return torch.cat([numbers, latents[:, size:]], 1) if latents.shape[1] > size else numbers


def leaky(x: Tensor) -> Tensor:
    """Leaky ReLU; the layer before it has the gain that keeps variances."""
    return F.leaky_relu(x, SLOPE)


def pixel_norm(x: Tensor) -> Tensor:
    """Each position of x (N, C, ...) divided by its length over channels (Karras et al., 2018)."""
    squares = x.float().square().mean(1, keepdim=True)
    return x * (squares + 1e-8).rsqrt().to(x.dtype)


def bound(images: Tensor) -> Tensor:
    """Images within [-1, 1] by a tanh that nothing gets stuck in.

    A tanh alone can be driven to one end, black digits on black, from where no gradient leads back.
    A straight range that is cut off has no such end, but backgrounds, which lie there, never come
    to rest. So this is a tanh, stretched a little to reach its ends, whose gradient never falls
    below LEAK, and beyond the ends leads inwards only. What each is worth: benchmarks/NOTES.md."""
    found: Tensor = _Bounded.apply(images)  # type: ignore[no-untyped-call]  # torch
    return found


class _Bounded(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor) -> Tensor:
        ctx.save_for_backward(images)
        return torch.clamp(STRETCH * images.tanh(), -1, 1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        images: Tensor = ctx.saved_tensors[0]
        found = STRETCH * images.tanh()
        outwards = ((found < -1) & (gradient > 0)) | ((found > 1) & (gradient < 0))
        own = (STRETCH - found.square() / STRETCH).clamp(min=LEAK)
        return (gradient * own).masked_fill(outwards, 0.0)


def with_spread(x: Tensor) -> Tensor:
    """Activations (N, C, H, W) and one more channel: how much the images of a group differ.

    Minibatch standard deviation (Karras et al., 2018): a discriminator that sees it notices a
    generator whose images are all alike. Groups are of 4, or of fewer where 4 do not divide N.
    """
    count, channels, height, width = x.shape
    group = next(size for size in range(GROUP, 0, -1) if count % size == 0)
    groups = x.float().view(group, count // group, channels, height, width)
    # Not Tensor.var, which takes 60 times as long over the first dimension.
    variance = (groups - groups.mean(0)).square().mean(0)
    spread = (variance + 1e-8).sqrt().mean((1, 2, 3))
    spread = spread.repeat(group)[:, None, None, None].expand(count, 1, height, width)
    return torch.cat([x, spread.to(x.dtype)], 1)


def double(images: Tensor) -> Tensor:
    """Images (N, C, H, W) at twice their sides, filtered so that no checkerboard appears.

    The binomial filter at twice the sides is bilinear interpolation. Edges are repeated.
    """
    return F.interpolate(images, scale_factor=2.0, mode="bilinear", align_corners=False)


def spectrally_normalise(network: nn.Module) -> None:
    """Divide every weight by its largest singular value: no layer then stretches anything.

    Spectral Normalization for Generative Adversarial Networks (Miyato et al., 2018).
    """
    for layer in list(network.modules()):
        if isinstance(layer, nn.Conv2d | nn.Linear | Dense | Convolution):
            parametrizations.spectral_norm(layer)
        if isinstance(layer, Dense | Convolution):
            layer.scale = 1.0  # the largest gain is that of the weight as it is used


def learnt_weight(layer: nn.Module) -> str:
    """The name, within a layer, of the parameter that its weight is made of."""
    normalised = parametrize.is_parametrized(layer, "weight")
    return "parametrizations.weight.original" if normalised else "weight"
