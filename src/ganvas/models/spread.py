"""Layers of `compact`, each of which knows the standard deviation of its initial weights.

Learning rates are equalised as in Progressive Growing of GANs (Karras et al., 2018). Where the
paper scales weights whenever they are used, here the optimiser gets the scale of each weight, its
`spread`, as its learning-rate multiplier.
"""

from math import sqrt

import torch
from torch import Tensor, nn

from ganvas.models.layers import BOX, GAIN, Resample, convolve, draw_normal, joining, leaky

BRANCH = 0.5  # initial gain of a block's branch, relative to its input
HIDDEN = 32  # hidden units of a gate
GATE = 0.5  # learning-rate multiplier of gates, relative to other layers


class FilteredDoubling(nn.Module):
    """Nearest-neighbour upsampling by 2 and a 3x3 convolution, fused into one 4x4 kernel."""

    filter: Tensor

    def __init__(self, fan_in: int, fan_out: int, gain: float = GAIN) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(fan_out, fan_in, 3, 3))
        self.bias = nn.Parameter(torch.empty(fan_out))
        self.spread = _draw(self, 9 * fan_in, gain)
        self.register_buffer("filter", joining(3, BOX), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return convolve(x, self.weight, self.bias, Resample.DOUBLE, self.filter)


class LearntDoubling(nn.ConvTranspose2d):
    """A free 4x4 transposed convolution: learns faster, and may leave a checkerboard."""

    def __init__(self, fan_in: int, fan_out: int) -> None:
        super().__init__(fan_in, fan_out, 4, 2, 1)
        self.spread = _draw(self, 4 * fan_in, GAIN)  # the number of inputs to each output pixel


class Halving(nn.Conv2d):
    """A strided convolution that halves the sides."""

    def __init__(self, fan_in: int, fan_out: int) -> None:
        super().__init__(fan_in, fan_out, 4, 2, 1)
        self.spread = _draw(self, 16 * fan_in, GAIN)


class Branch(nn.Conv2d):
    """The convolution in the branch of a residual block."""

    def __init__(self, width: int) -> None:
        super().__init__(width, width, 3, padding=1)
        self.spread = _draw(self, 9 * width, BRANCH * GAIN)


class Linear(nn.Linear):
    """A dense layer."""

    def __init__(self, fan_in: int, fan_out: int, gain: float = 1.0) -> None:
        super().__init__(fan_in, fan_out)
        self.spread = _draw(self, fan_in, gain)


def _draw(
    layer: nn.Conv2d | nn.ConvTranspose2d | nn.Linear | FilteredDoubling, inputs: int, gain: float
) -> float:
    """Initialise a layer so that it keeps variances (He et al., 2015), with zero biases.

    Returns the standard deviation of its weights.
    """
    spread = gain / sqrt(inputs)
    assert layer.bias is not None, "every layer here has one"
    draw_normal(layer.weight, 0.0, spread)
    nn.init.zeros_(layer.bias)
    return spread


class Residual(nn.Module):
    """A residual block: one convolution in the branch."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch = Branch(width)

    def forward(self, x: Tensor) -> Tensor:
        return x + leaky(self.branch(x))


class Gate(nn.Module):
    """Channel-wise factors in (0, 2) for a finer resolution, computed from the coarsest one."""

    def __init__(self, fan_in: int, width: int) -> None:
        super().__init__()
        self.first = Linear(fan_in, HIDDEN, GAIN)
        self.second = Linear(HIDDEN, width, GATE)
        nn.init.zeros_(self.second.weight)  # every factor is 1 at first

    def forward(self, coarsest: Tensor) -> Tensor:
        opened: Tensor = self.second(leaky(self.first(coarsest))).sigmoid()
        return 2 * opened[:, :, None, None]


SPREAD = FilteredDoubling, LearntDoubling, Halving, Branch, Linear  # layers with a spread
