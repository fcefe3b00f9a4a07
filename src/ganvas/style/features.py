"""What a network sees in a picture: activations of VGG-19, from edges to objects.

Very Deep Convolutional Networks for Large-Scale Image Recognition (Simonyan and Zisserman, 2014),
its convolutions up to conv5_1 with the original weights, as Gatys et al. (2016) used them. Every
layer is rescaled to a mean activation of 1, as theirs was: losses of different layers then compare.
A network of rectified linear units stays the same network under such a change.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from safetensors import safe_open
from torch import Tensor
from torch.nn import functional as F

from ganvas.errors import GanvasError

WEIGHTS = Path(__file__).parents[1] / "assets" / "vgg19.safetensors"
SHA256 = "72ab3f4e76d3633d3109abbb2b5f94fc9b41ea74220e6cfe14f6fca73d4493b7"

# Convolutions of each block; between blocks, sides are halved.
BLOCKS = (2, 2, 4, 4, 1)
LAYERS = tuple(f"relu{block}_{i}" for block, n in enumerate(BLOCKS, 1) for i in range(1, n + 1))
MEANS = (103.939, 116.779, 123.68)  # of blue, green and red over ImageNet, from 0 to 255

Pooling = Literal["max", "average"]


class WeightsError(GanvasError, ValueError):
    """Weights that are not there, damaged, or of another network."""


@dataclass(frozen=True)
class Convolution:
    """One layer: weight (O, I, 3, 3) and bias (O,), for pictures in [0, 1] and unit activations."""

    name: str
    weight: Tensor
    bias: Tensor


class VGG19:
    """The network as a function: pictures (1, 3, H, W) in [0, 1] to activations by layer name."""

    def __init__(
        self,
        weights: Mapping[str, Tensor],
        means: Mapping[str, float],
        pooling: Pooling = "max",
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        """From original weights ("conv1_1.weight"), and each layer's mean activation with them."""
        self.pooling, self.dtype, self.device = pooling, dtype, torch.device(device)
        self.convolutions = [
            Convolution(
                layer.name,
                layer.weight.to(device, dtype).contiguous(memory_format=torch.channels_last),
                layer.bias.to(device, dtype),
            )
            for layer in _rescaled(weights, means)
        ]

    @classmethod
    def load(
        cls,
        pooling: Pooling = "max",
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> "VGG19":
        """The network that comes with ganvas; raises WeightsError."""
        weights, means = read_weights()
        return cls(weights, means, pooling, dtype, device)

    def __call__(self, picture: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """Activations (1, C, H, W) of these layers; nothing deeper than the last is computed."""
        x = picture.to(self.dtype).contiguous(memory_format=torch.channels_last)
        # Edges repeated once, before the first layer: zeros would be seen as a frame.
        x = F.pad(x, (1, 1, 1, 1), mode="replicate")
        found: dict[str, Tensor] = {}
        deepest = max(LAYERS.index(layer) for layer in layers)
        for layer, convolution in zip(LAYERS[: deepest + 1], self.convolutions, strict=False):
            if layer.endswith("_1") and layer != LAYERS[0]:
                x = self._halved(x)
            padding = 0 if layer == LAYERS[0] else 1
            x = F.relu(F.conv2d(x, convolution.weight, convolution.bias, padding=padding))
            if layer in layers:
                found[layer] = x
        return found

    def _halved(self, x: Tensor) -> Tensor:
        return F.max_pool2d(x, 2) if self.pooling == "max" else F.avg_pool2d(x, 2)


def read_weights() -> tuple[dict[str, Tensor], dict[str, float]]:
    """The original weights that come with ganvas, and each layer's mean activation.

    Weights are kept as indices into 256 values a layer. Raises WeightsError.
    """
    try:
        digest = hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()
    except OSError as error:
        raise WeightsError(
            f"{WEIGHTS} cannot be read ({error.strerror}): reinstall ganvas."
        ) from error
    if digest != SHA256:
        raise WeightsError(f"{WEIGHTS} is damaged: reinstall ganvas.")
    weights: dict[str, Tensor] = {}
    with safe_open(WEIGHTS, framework="pt") as file:
        means = json.loads(file.metadata()["means"])
        for name in means:
            palette, index = file.get_tensor(f"{name}.palette"), file.get_tensor(f"{name}.index")
            weights[f"{name}.weight"] = palette[index.long()]
            weights[f"{name}.bias"] = file.get_tensor(f"{name}.bias")
    return weights, means


def stride(layer: str) -> int:
    """Pixels between neighbouring activations of a layer."""
    return 1 << (int(layer[4]) - 1)


def _rescaled(weights: Mapping[str, Tensor], means: Mapping[str, float]) -> list[Convolution]:
    """For RGB in [0, 1] instead of BGR in [0, 255] about the mean, and for unit activations."""
    layers: list[Convolution] = []
    before = 1.0
    for layer in LAYERS:
        name = layer.replace("relu", "conv")
        weight, bias, mean = weights[f"{name}.weight"], weights[f"{name}.bias"], means[name]
        if layer == LAYERS[0]:
            shift = torch.tensor(MEANS)[None, :, None, None]
            bias = bias - (weight * shift).sum((1, 2, 3))
            weight = 255.0 * weight.flip(1)
        layers.append(Convolution(name, weight * (before / mean), bias / mean))
        before = mean
    return layers
