"""EfficientNet-Lite0, the default feature network of evaluation."""

import json
from pathlib import Path
from typing import TypedDict, cast

import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import Tensor

from ganvas.evaluation.features.network import RESIZED, prepare
from ganvas.runtime.assets import ASSETS

WEIGHTS = ASSETS / "efficientnet_lite0.safetensors"
INPUT = 128
BATCH = 16  # small enough for activations to stay in the CPU's cache


class Block(TypedDict, total=False):
    """One block of the network, as the metadata of the weights describes it."""

    name: str
    kind: str
    stride: int
    skip: bool
    expand: bool


class EfficientNetLite0:
    """Global averages of the last layer of EfficientNet-Lite0: 1,280 values in [0, 6].

    The network is Tan and Le's EfficientNet (2019) in the Lite version of Renjie Liu (2020),
    trained on ImageNet: no squeeze-and-excitation, ReLU6. It runs as the metadata of the weights
    describes it, with batch normalisation already folded into the convolutions.
    """

    name = f"EfficientNet-Lite0, average of the last layer, {INPUT} px {RESIZED}"

    def __init__(self, weights: Path = WEIGHTS, device: torch.device | str = "cpu") -> None:
        """Load `weights` onto `device`; raises FileNotFoundError when the file is missing."""
        self.device = torch.device(device)
        self.blocks, self.tensors = _read(weights, self.device)

    @torch.inference_mode()
    def features(self, images: Tensor) -> Tensor:
        """(N, 1280) float32 features of (N, C, H, W) images in [-1, 1], C = 1, 3 or 4.

        Grey images are repeated to RGB and transparent ones composited on white, see `prepare`.
        Raises ValueError for another shape.
        """
        found = [
            self._forward(prepare(batch.to(self.device), INPUT))
            for batch in torch.split(images, BATCH)
        ]
        return torch.cat(found).to(images.device)

    def _forward(self, x: Tensor) -> Tensor:
        # Channels-last makes the depthwise convolutions several times faster on a CPU.
        x = x.contiguous(memory_format=torch.channels_last)
        for block in self.blocks:
            x = self._convolution(x, block) if block["kind"] == "conv" else self._invert(x, block)
        return x.mean((2, 3))

    def _convolution(self, x: Tensor, block: Block) -> Tensor:
        return F.relu6(self._convolve(x, block["name"], block["stride"]))

    def _invert(self, x: Tensor, block: Block) -> Tensor:
        """An inverted residual (Sandler et al. 2018): expand, filter each channel, project."""
        name, wide = block["name"], x
        if block["expand"]:
            wide = F.relu6(self._convolve(x, f"{name}.expand"))
        wide = F.relu6(self._convolve(wide, f"{name}.depthwise", block["stride"], wide.shape[1]))
        narrow = self._convolve(wide, f"{name}.project")
        return x + narrow if block["skip"] else narrow

    def _convolve(self, x: Tensor, layer: str, stride: int = 1, groups: int = 1) -> Tensor:
        weight, bias = self.tensors[f"{layer}.weight"], self.tensors[f"{layer}.bias"]
        kernel = weight.shape[-1]
        if stride == 1:
            return F.conv2d(x, weight, bias, padding=kernel // 2, groups=groups)
        return F.conv2d(pad_same(x, kernel, stride), weight, bias, stride, groups=groups)


def pad_same(x: Tensor, kernel: int, stride: int) -> Tensor:
    """TensorFlow's SAME padding: ceil(size / stride) outputs, an odd pixel right and bottom."""
    (top, bottom), (left, right) = (_margins(size, kernel, stride) for size in x.shape[2:])
    return F.pad(x, (left, right, top, bottom))


def _margins(size: int, kernel: int, stride: int) -> tuple[int, int]:
    missing = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return missing // 2, missing - missing // 2


def _read(weights: Path, device: torch.device) -> tuple[list[Block], dict[str, Tensor]]:
    if not weights.is_file():
        raise FileNotFoundError(
            f"the feature network's weights {weights.name} are missing from {weights.parent}: "
            "reinstall ganvas."
        )
    with safe_open(weights, framework="pt", device=str(device)) as file:
        blocks = cast(list[Block], json.loads(file.metadata()["blocks"]))
        tensors = {name: _expand(file.get_tensor(name)) for name in list(file.keys())}
    return blocks, tensors


def _expand(tensor: Tensor) -> Tensor:
    full = tensor.float()
    return full.contiguous(memory_format=torch.channels_last) if full.ndim == 4 else full
