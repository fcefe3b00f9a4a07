"""Activations of VGG-19, the feature network of style transfer.

Very Deep Convolutional Networks for Large-Scale Image Recognition (Simonyan and Zisserman, 2014),
its convolutions up to conv5_1 with the original weights, as Gatys et al. (2016) used them. Every
layer is rescaled to a mean activation of 1, as theirs was, so that losses of different layers are
comparable. In a network of rectified linear units this only changes the scale of activations.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ganvas.pretrained import weights
from ganvas.pretrained.examples import EXAMPLES, example
from ganvas.pretrained.weights import CHANNELS, CONVOLUTIONS, Weights

LAYERS = tuple(name.replace("conv", "relu") for name in CONVOLUTIONS)
SIDE_OF_MEANS = 384  # pixels of the images over which mean activations are taken

Pooling = Literal["max", "average"]


@dataclass(frozen=True)
class Convolution:
    """One convolution: weight (O, I, 3, 3) and bias (O,)."""

    name: str
    weight: Tensor
    bias: Tensor


class VGG19:
    """The network as a function: images (N, 3, H, W) in [0, 1] to activations by layer name."""

    def __init__(
        self,
        layers: Weights,
        pooling: Pooling = "max",
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        self.pooling, self.dtype, self.device = pooling, dtype, torch.device(device)
        self.convolutions = [
            Convolution(
                layer.name,
                layer.weight.to(device, dtype).contiguous(memory_format=torch.channels_last),
                layer.bias.to(device, dtype),
            )
            for layer in _rescale(layers)
        ]

    @classmethod
    def load(
        cls,
        pooling: Pooling = "max",
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        unit_layers: bool = True,
        path: Path | None = None,
    ) -> "VGG19":
        """Load the network that comes with ganvas, or the one in a file; raises WeightsError.

        Without `unit_layers`, activations are not rescaled to a mean of 1.
        """
        found = weights.load_shipped() if path is None else weights.read(path)
        if not unit_layers:
            found = Weights(found.layers, None)
        elif found.means is None:
            found = Weights(found.layers, mean_activations(cls(found)))
        return cls(found, pooling, dtype, device)

    def __call__(self, image: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """Activations (N, C, H, W) of these layers; nothing deeper than the last is computed."""
        x = image.to(self.dtype).contiguous(memory_format=torch.channels_last)
        # The first layer pads by repeating edges: zeros would look like a frame.
        x = F.pad(x, (1, 1, 1, 1), mode="replicate")
        found: dict[str, Tensor] = {}
        deepest = max(LAYERS.index(layer) for layer in layers)
        for layer, convolution in zip(LAYERS[: deepest + 1], self.convolutions, strict=False):
            if layer.endswith("_1") and layer != LAYERS[0]:
                x = self._halve(x)
            padding = 0 if layer == LAYERS[0] else 1
            x = F.relu(F.conv2d(x, convolution.weight, convolution.bias, padding=padding))
            if layer in layers:
                found[layer] = x
        return found

    def _halve(self, x: Tensor) -> Tensor:
        return F.max_pool2d(x, 2) if self.pooling == "max" else F.avg_pool2d(x, 2)


def mean_activations(network: VGG19) -> dict[str, float]:
    """Each layer's mean activation over the images that come with ganvas."""
    seen = [network(example(name, SIDE_OF_MEANS), LAYERS) for name in EXAMPLES]
    return {
        layer.replace("relu", "conv"): float(sum(s[layer].mean() for s in seen)) / len(seen)
        for layer in LAYERS
    }


def stride(layer: str) -> int:
    """The stride of a layer in pixels of the image."""
    return 1 << (int(layer[4]) - 1)


def channels(layer: str) -> int:
    """The number of channels of a layer."""
    return CHANNELS[int(layer[4]) - 1][0]


def _rescale(found: Weights) -> list[Convolution]:
    """Rescale the layers to mean activations of 1, if the means are known."""
    layers: list[Convolution] = []
    before = 1.0
    for name in CONVOLUTIONS:
        weight, bias = found.layers[name]
        mean = found.means[name] if found.means else 1.0
        layers.append(Convolution(name, weight * (before / mean), bias / mean))
        before = mean
    return layers
