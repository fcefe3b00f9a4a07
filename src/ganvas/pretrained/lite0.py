"""Activations of EfficientNet-Lite0, the feature network of evaluation.

Tan and Le's EfficientNet (2019) in the Lite version of Renjie Liu (2020), trained on ImageNet: no
squeeze-and-excitation, ReLU6. It runs as the metadata of the weights describes it, with batch
normalisation already folded into the convolutions.
"""

import hashlib
import json
from collections.abc import Collection
from pathlib import Path
from typing import TypeAlias, TypedDict, cast

import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import Tensor

from ganvas.runtime.assets import ASSETS

NAME = "EfficientNet-Lite0"
WEIGHTS = ASSETS / "efficientnet_lite0.safetensors"
DEEPEST = "head"


Edges: TypeAlias = tuple[int, int]


class Block(TypedDict, total=False):
    """One block of the network, as the metadata of the weights describes it."""

    name: str
    kind: str
    stride: int
    skip: bool
    expand: bool
    out: int


class Lite0:
    """The network as a function: images (N, 3, H, W) in [-1, 1] to activations by block name.

    Blocks are called stem, block0 to block15 and head. Nothing of it is trained, so that only the
    gradient at the images costs time. `checksum` is the SHA-256 of the file of its weights.
    """

    def __init__(
        self,
        weights: Path = WEIGHTS,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        """Load `weights` onto `device`; raises FileNotFoundError when the file is missing."""
        self.dtype, self.device = dtype, torch.device(device)
        self.blocks, self.tensors = _read(weights, self.device)
        self.checksum = hashlib.sha256(weights.read_bytes()).hexdigest()
        self.kernels: dict[tuple[str, Edges, Edges, torch.dtype], Tensor] = {}

    def __call__(self, images: Tensor, blocks: Collection[str]) -> dict[str, Tensor]:
        """Activations (N, C, H / stride, W / stride) after these blocks, none after the deepest."""
        # Channels-last makes the depthwise convolutions several times faster on a CPU.
        x = images.to(self.dtype).contiguous(memory_format=torch.channels_last)
        found: dict[str, Tensor] = {}
        for block in self.blocks:
            x = self._convolution(x, block) if block["kind"] == "conv" else self._invert(x, block)
            if block["name"] in blocks:
                found[block["name"]] = x
            if len(found) == len(blocks):
                break
        return found

    def channels(self, name: str) -> int:
        """The number of channels after a block."""
        (block,) = (block for block in self.blocks if block["name"] == name)
        return block["out"]

    def _convolution(self, x: Tensor, block: Block) -> Tensor:
        return _relu6(self._convolve(x, block["name"], block["stride"]))

    def _invert(self, x: Tensor, block: Block) -> Tensor:
        """An inverted residual (Sandler et al. 2018): expand, filter each channel, project."""
        name, wide = block["name"], x
        if block["expand"]:
            wide = _relu6(self._convolve(x, f"{name}.expand"))
        wide = _relu6(self._convolve(wide, f"{name}.depthwise", block["stride"], wide.shape[1]))
        narrow = self._convolve(wide, f"{name}.project")
        return x + narrow if block["skip"] else narrow

    def _convolve(self, x: Tensor, layer: str, stride: int = 1, groups: int = 1) -> Tensor:
        # The backward pass of a strided depthwise convolution in bf16 takes 30 to 60 times as long
        # as in fp32 (torch 2.13 on a CPU).
        dtype = torch.float32 if stride > 1 and groups > 1 else x.dtype
        weight = self._kernel(layer, stride, x, dtype)
        bias = self.tensors[f"{layer}.bias"].to(dtype)
        rows, columns = weight.shape[2:]
        if groups > 1 and rows == columns == 1:
            # A factor for each channel, for which a convolution takes 500 times as long (torch 2.13
            # on a CPU).
            return torch.addcmul(bias[:, None, None], x.to(dtype), weight[:, 0]).to(x.dtype)
        padding = ((rows - 1) // 2, (columns - 1) // 2)
        found = F.conv2d(x.to(dtype), weight, bias, stride, padding=padding, groups=groups)
        return found.to(x.dtype)

    def _kernel(self, layer: str, stride: int, x: Tensor, dtype: torch.dtype) -> Tensor:
        """The kernel for inputs of this size, cut or padded at its edges."""
        weight = self.tensors[f"{layer}.weight"]
        rows, columns = (_edges(weight.shape[-1], stride, side) for side in x.shape[2:])
        key = (layer, rows, columns, dtype)
        if key not in self.kernels:
            found = F.pad(weight, (*columns, *rows))
            self.kernels[key] = found.to(dtype).contiguous(memory_format=torch.channels_last)
        return self.kernels[key]


def _edges(taps: int, stride: int, side: int) -> Edges:
    """How many zeros a kernel gets at its two edges along a side of so many pixels.

    TensorFlow's SAME padding: a strided convolution of an even number of pixels is padded by one
    pixel less at the top and at the left. A zero row and a zero column do the same, at no cost.

    Taps that only ever meet padding are left out: a 5x5 kernel takes 200 times as long on a single
    pixel as its centre does (torch 2.13 on a CPU).
    """
    if stride > 1 and side % 2 == 0:
        return (1, 0)
    unreached = max(0, taps // 2 + 1 - side)
    return (-unreached, -unreached)


def _relu6(x: Tensor) -> Tensor:
    return F.relu6(x, inplace=True)  # the convolution before it does not need its own output


def _read(weights: Path, device: torch.device) -> tuple[list[Block], dict[str, Tensor]]:
    if not weights.is_file():
        raise FileNotFoundError(
            f"the feature network's weights {weights.name} are missing from {weights.parent}: "
            "reinstall ganvas."
        )
    with safe_open(weights, framework="pt", device=str(device)) as file:
        blocks = cast(list[Block], json.loads(file.metadata()["blocks"]))
        return blocks, {name: file.get_tensor(name).float() for name in list(file.keys())}
