"""Choose the device that a run computes on."""

from typing import Literal

import torch

from ganvas.errors import GanvasError

DeviceName = Literal["auto", "cpu", "cuda", "mps"]


class UnavailableDeviceError(GanvasError, ValueError):
    """A device that this machine or this build of torch does not have."""


def choose_device(name: DeviceName) -> torch.device:
    """The device of this name, or the fastest one for "auto"; raises UnavailableDeviceError."""
    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next((kind for kind, found in here.items() if found), "cpu"))
    if not here.get(name, True):
        raise UnavailableDeviceError(
            f"this machine, or this build of torch, has no {name} device; use --device auto."
        )
    return torch.device(name)
