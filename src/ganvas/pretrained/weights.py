"""Weights of VGG-19: those that come with ganvas, or a user's own file."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from ganvas.errors import GanvasError
from ganvas.runtime.assets import ASSETS
from ganvas.runtime.system import check_regular

SHIPPED = ASSETS / "vgg19.safetensors"
SHA256 = "72ab3f4e76d3633d3109abbb2b5f94fc9b41ea74220e6cfe14f6fca73d4493b7"

# Channels of each convolution of each block; between blocks, sides are halved.
CHANNELS = ((64, 64), (128, 128), (256, 256, 256, 256), (512, 512, 512, 512), (512,))
CONVOLUTIONS = tuple(
    f"conv{block}_{i}" for block, n in enumerate(CHANNELS, 1) for i in range(1, len(n) + 1)
)
# Their indices in torchvision's `features`, which also has ReLU and pooling layers.
PLACES = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28)

CAFFE_MEANS = (103.939, 116.779, 123.68)  # of blue, green and red over ImageNet, from 0 to 255
TORCHVISION_MEANS, TORCHVISION_SPREADS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class WeightsError(GanvasError, ValueError):
    """Weights are missing, damaged, or of another network."""


@dataclass(frozen=True)
class Weights:
    """Weight (O, I, 3, 3) and bias (O,) by name of the convolution, for RGB images in [0, 1].

    `means` are the mean activations over images, if they are known.
    """

    layers: Mapping[str, tuple[Tensor, Tensor]]
    means: Mapping[str, float] | None


def load_shipped() -> Weights:
    """The original weights (Simonyan and Zisserman), quantised to 256 values a layer.

    Raises WeightsError.
    """
    try:
        digest = hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    except OSError as error:
        raise WeightsError(
            f"{SHIPPED} cannot be read ({error.strerror}): reinstall ganvas."
        ) from error
    if digest != SHA256:
        raise WeightsError(f"{SHIPPED} is damaged: reinstall ganvas.")
    with safe_open(SHIPPED, framework="pt") as file:
        means = json.loads(file.metadata()["means"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
    return Weights(_from_caffe(_expand(tensors)), means)


def read(path: Path) -> Weights:
    """Read weights in full precision; raises WeightsError.

    The file is torchvision's state dict, or safetensors with its names or those of the original
    network ("conv1_1.weight").
    """
    try:
        tensors = _expand(_tensors(path))
    except (KeyError, IndexError, RuntimeError) as error:
        raise WeightsError(f"{path} is damaged: a palette does not fit its indices.") from error
    if "features.0.weight" in tensors:
        return Weights(_from_torchvision(_check(path, tensors, _torchvision_names())), None)
    return Weights(_from_caffe(_check(path, tensors, {n: n for n in CONVOLUTIONS})), None)


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        check_regular(path)
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        # With `weights_only`, torch runs no code from the file.
        found = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error.strerror or error}).") from error
    # Damaged files raise nearly every class of exception.
    except Exception as error:
        raise WeightsError(f"{path} is damaged, or holds no weights.") from error
    if not isinstance(found, dict) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in found.items()
    ):
        raise WeightsError(f"{path} holds no table of weights; give VGG-19's state dict.")
    return found


def _torchvision_names() -> dict[str, str]:
    return {n: f"features.{place}" for n, place in zip(CONVOLUTIONS, PLACES, strict=True)}


def _check(
    path: Path, tensors: Mapping[str, Tensor], names: Mapping[str, str]
) -> dict[str, Tensor]:
    """The convolutions under their own names; raises WeightsError for another network."""
    found, inside = {}, 3
    outs = [channels for block in CHANNELS for channels in block]
    for convolution, channels in zip(CONVOLUTIONS, outs, strict=True):
        for part, shape in (("weight", (channels, inside, 3, 3)), ("bias", (channels,))):
            tensor = tensors.get(f"{names[convolution]}.{part}")
            if tensor is None or tuple(tensor.shape) != shape:
                raise WeightsError(
                    f"{path} holds another network than VGG-19: no {names[convolution]}.{part} "
                    f"of {'x'.join(map(str, shape))}."
                )
            if not torch.isfinite(tensor.float()).all():
                raise WeightsError(f"{path} is damaged: {names[convolution]}.{part} is not finite.")
            found[f"{convolution}.{part}"] = tensor.float()
        inside = channels
    return found


def _expand(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Expand weights that are stored as indices into a palette."""
    palettes = [name.removesuffix(".palette") for name in tensors if name.endswith(".palette")]
    return tensors | {
        f"{name}.weight": tensors[f"{name}.palette"][tensors[f"{name}.index"].long()]
        for name in palettes
    }


def _from_caffe(tensors: Mapping[str, Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
    """Convert from Caffe, whose first layer expects BGR from 0 to 255, minus the mean."""
    layers = _pair(tensors)
    weight, bias = layers["conv1_1"]
    bias = bias - (weight * torch.tensor(CAFFE_MEANS)[:, None, None]).sum((1, 2, 3))
    return layers | {"conv1_1": (255 * weight.flip(1), bias)}


def _from_torchvision(tensors: Mapping[str, Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
    """Convert from torchvision, whose first layer expects standardised RGB."""
    layers = _pair(tensors)
    weight, bias = layers["conv1_1"]
    weight = weight / torch.tensor(TORCHVISION_SPREADS)[:, None, None]
    bias = bias - (weight * torch.tensor(TORCHVISION_MEANS)[:, None, None]).sum((1, 2, 3))
    return layers | {"conv1_1": (weight, bias)}


def _pair(tensors: Mapping[str, Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
    return {n: (tensors[f"{n}.weight"], tensors[f"{n}.bias"]) for n in CONVOLUTIONS}
