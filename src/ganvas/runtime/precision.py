"""Choose the floating-point precision of a run."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal

import torch

PrecisionName = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True)
class Precision:
    """Products in bf16 or fp32; weights, statistics and losses are always fp32."""

    device: torch.device
    bf16: bool

    def autocast(self) -> AbstractContextManager[None]:
        """The context for forward passes."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)


def choose_precision(name: PrecisionName, device: torch.device) -> Precision:
    """The precision of this name; "auto" is bf16 if the device has instructions for it, else fp32.

    Without such instructions bf16 is slower.
    """
    if name == "auto":
        return Precision(device, _fast_bf16(device))
    return Precision(device, name == "bf16")


def _fast_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        here = torch.cpu.get_capabilities()
        return bool(here.get("avx512_bf16") or here.get("amx_bf16") or here.get("bf16"))
    return False
