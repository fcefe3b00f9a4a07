"""Layers shared by several models."""

from collections.abc import Callable
from enum import Enum
from math import sqrt
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, parametrize

from ganvas.runtime.distributed import gathered, moments, shared

SLOPE = 0.2  # of the leaky ReLU
GAIN = sqrt(2)  # of a layer before a leaky ReLU: keeps variances (He et al., 2015)
GROUP = 4  # images in a group of the minibatch standard deviation
STRETCH = 1.005  # factor on the output tanh: 1 is reached at 3, where the gradient is 0.01
LEAK = 0.05  # smallest gradient of the output tanh

BOX = (1.0, 1.0)  # resampling filter in each direction: nearest neighbour up, means of four down
BINOMIAL = (1.0, 3.0, 3.0, 1.0)  # a smoother one, as in StyleGAN
Taps = tuple[float, ...]

# Larger networks do not fit into any machine: a setting above these limits is a mistake.
MOST_LATENT, MOST_WIDTH, MOST_UNITS, MOST_LAYERS = 65_536, 4096, 65_536, 64

Latent = Annotated[int, Field(ge=1, le=MOST_LATENT, description="Size of a latent vector.")]
Width = Annotated[
    int, Field(ge=4, le=MOST_WIDTH, description="Number of channels of the finest layer.")
]
SpectralNorm = Annotated[bool, Field(description="Spectral normalisation of the discriminator.")]


class Resample(Enum):
    """Resampling that a convolution includes."""

    DOUBLE = "twice the sides of its input"
    HALVE = "half the sides of its output"


class Dense(nn.Module):
    """A linear layer with an equalised learning rate.

    Progressive Growing of GANs (Karras, Aila, Laine and Lehtinen, 2018): weights are drawn from
    N(0, 1) and scaled by gain/sqrt(inputs) whenever they are used, so that Adam changes all layers
    by the same ratio. `rate` is the learning-rate multiplier of this layer.
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
    """A convolution with an equalised learning rate, after upsampling or before downsampling.

    The resampling filter and the kernel are fused into one larger kernel. Convolving with it takes
    half the time of separate resampling, which costs a CPU more than the products do
    (benchmarks/NOTES.md).
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
    """Convolve x (N, I, H, W) with a weight (O, I, K, K), fused with the filter to resample."""
    if resample is None:
        return F.conv2d(x, weight, bias, padding=weight.shape[2] // 2)
    size = round(sqrt(filter.shape[1]))
    joined = (weight.flatten(0, 1).flatten(1) @ filter).view(*weight.shape[:2], size, size)
    if resample is Resample.HALVE:
        return F.conv2d(x, joined, bias, stride=2, padding=size // 2 - 1)
    # Flipped, because a transposed convolution uses the kernel rotated by 180 degrees.
    turned = 4 * joined.transpose(0, 1).flip(2, 3)
    return F.conv_transpose2d(x, turned, bias, stride=2, padding=size // 2 - 1)


# On the meta device, which has no memory, nothing is drawn: torch would spend a second on loading
# code for numbers that are never used.


def draw_normal(weight: Tensor, mean: float, spread: float) -> None:
    """Fill a weight from N(mean, spread), with `spread` the standard deviation."""
    if not weight.is_meta:
        nn.init.normal_(weight, mean, spread)


def from_normal(*sides: int, over: float = 1.0) -> Tensor:
    """Numbers from N(0, 1), divided by `over`."""
    if torch.get_default_device().type == "meta":
        return torch.empty(sides)
    return torch.randn(sides) / over


def joining(kernel: int, taps: Taps) -> Tensor:
    """The matrix (K K, S S) that turns flattened kernels into kernels convolved with the filter.

    It is in no checkpoint, so a network on the meta device has real values here too.
    """
    row = torch.tensor(taps, device="cpu")
    square = torch.outer(row, row) / sum(taps) ** 2
    ones = torch.eye(kernel * kernel, device="cpu").view(-1, 1, kernel, kernel)
    return F.conv_transpose2d(ones, square[None, None]).flatten(1)


class _OverProcesses(nn.modules.batchnorm._BatchNorm):
    """Batch normalisation (Ioffe and Szegedy, 2015) over the rows of all processes of a run."""

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training and shared()):
            return super().forward(x)
        over = tuple(dim for dim in range(x.dim()) if dim != 1)
        count, mean, variance = moments(x.float(), over)
        with torch.no_grad():
            unbiased = variance * count / (count - 1)
            for running, now in ((self.running_mean, mean), (self.running_var, unbiased)):
                assert running is not None, "as all here have"
                running.lerp_(now.detach(), self.momentum or 0.0)
            assert self.num_batches_tracked is not None, "as all here have"
            self.num_batches_tracked += 1
        form = (-1, *(1,) * (x.dim() - 2))
        scale = self.weight * (variance + self.eps).rsqrt()
        shift = self.bias - mean * scale
        return (x * scale.view(form) + shift.view(form)).to(x.dtype)


class BatchNorm1d(_OverProcesses, nn.BatchNorm1d):
    """Batch normalisation of features (N, F)."""


class BatchNorm2d(_OverProcesses, nn.BatchNorm2d):
    """Batch normalisation of activations (N, C, H, W)."""


class Head(nn.Module):
    """The last layer of a discriminator: features (N, F) to logits (N,).

    cGANs with Projection Discriminator (Miyato and Koyama, 2018): with labels (N, classes) the
    inner product of the features and the learnt embedding of the class is added. `layer` makes a
    linear layer from its numbers of inputs and outputs.
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
    """Flatten activations (N, C, H, W) to (N, H W C), which is their channels-last memory order.

    Gradients then come back channels-last too. With mixed memory formats the backward pass of a
    leaky ReLU takes many times as long (benchmarks/NOTES.md)."""
    return x.permute(0, 2, 3, 1).flatten(1)


def on_sphere(latents: Tensor, size: int) -> Tensor:
    """Normalise the first `size` numbers of latents to a mean square of 1; labels stay."""
    numbers = pixel_norm(latents[:, :size])
    return torch.cat([numbers, latents[:, size:]], 1) if latents.shape[1] > size else numbers


def smaller(x: Tensor) -> Tensor:
    """Halve the sides: each pixel is the mean of four."""
    return F.avg_pool2d(x, 2)


def leaky(x: Tensor) -> Tensor:
    """Leaky ReLU; the layer before it has the gain that keeps variances."""
    return F.leaky_relu(x, SLOPE)


def pixel_norm(x: Tensor) -> Tensor:
    """Divide each position of x (N, C, ...) by its root mean square over channels (Karras et al.,
    2018)."""
    squares = x.float().square().mean(1, keepdim=True)
    return x * (squares + 1e-8).rsqrt().to(x.dtype)


def bound(images: Tensor) -> Tensor:
    """Bound images to [-1, 1] by a tanh that does not saturate.

    A plain tanh can be driven to one end, such as black digits on black, where its gradient
    vanishes. A clipped linear output has no such problem, but backgrounds at its ends never settle.
    This is a tanh, stretched a little to reach its ends. Its gradient never falls below LEAK, and
    beyond the ends it only points inwards. Measurements of each: benchmarks/NOTES.md."""
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
    """Append a channel to activations (N, C, H, W): how much the images of a group differ.

    Minibatch standard deviation (Karras et al., 2018): with it the discriminator detects a
    generator whose images are all alike. A group has 4 images, or fewer if 4 does not divide N;
    its images may lie in several processes.
    """
    whole, own = gathered(x.float())
    count, channels, height, width = whole.shape
    group = next(size for size in range(GROUP, 0, -1) if count % size == 0)
    groups = whole.reshape(group, count // group, channels, height, width)
    # Not Tensor.var, which takes 60 times as long over the first dimension.
    variance = (groups - groups.mean(0)).square().mean(0)
    spread = (variance + 1e-8).sqrt().mean((1, 2, 3))
    spread = spread.repeat(group)[own, None, None, None].expand(len(x), 1, height, width)
    return torch.cat([x, spread.to(x.dtype)], 1)


def double(images: Tensor) -> Tensor:
    """Upsample images (N, C, H, W) by 2, filtered so that no checkerboard appears.

    Upsampling with the binomial filter is bilinear interpolation. Edges are repeated.
    """
    return F.interpolate(images, scale_factor=2.0, mode="bilinear", align_corners=False)


def spectrally_normalise(network: nn.Module) -> None:
    """Divide every weight by its largest singular value, so that no layer amplifies anything.

    Spectral Normalization for Generative Adversarial Networks (Miyato et al., 2018).
    """
    for layer in list(network.modules()):
        if isinstance(layer, nn.Conv2d | nn.Linear | Dense | Convolution):
            parametrizations.spectral_norm(layer)
        if isinstance(layer, Dense | Convolution):
            layer.scale = 1.0  # the normalised weight is used as it is


def learnt_weight(layer: nn.Module) -> str:
    """The name, within a layer, of the parameter behind its weight."""
    normalised = parametrize.is_parametrized(layer, "weight")
    return "parametrizations.weight.original" if normalised else "weight"
