"""In how many bits a run computes."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal

import torch

PrecisionName = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True)
class Precision:
    """bf16 halves the bits of products; weights, statistics and losses stay fp32."""

    device: torch.device
    bf16: bool

    def autocast(self) -> AbstractContextManager[None]:
        """The context in which networks run forward."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)


def choose_precision(name: PrecisionName, device: torch.device) -> Precision:
    """bf16 for "auto" only where the device has instructions for it: elsewhere it is slower."""
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
