"""A generator as one small file: half-precision safetensors, with what it is in the metadata."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ganvas.checkpoints.checkpoint import Tensors, in_short, unpacked
from ganvas.checkpoints.metadata import CheckpointError, Facts, facts_of
from ganvas.runtime.atomic import replacing
from ganvas.runtime.forms import FormError, parsed
from ganvas.runtime.system import reason

ENDING = ".safetensors"
FORMAT = "1"
NEEDED = ("model", "network", "shape")  # without these facts nobody can rebuild it


def write(path: Path, tensors: Tensors, facts: Mapping[str, Any]) -> None:
    """Write all of it or nothing; an existing file is replaced."""
    halved = {name: _halved(tensor).contiguous() for name, tensor in tensors.items()}
    metadata = {"format": FORMAT, "ganvas": json.dumps(facts)}
    with replacing(path) as temporary:
        temporary.write_bytes(safetensors.torch.save(halved, metadata))


def read(path: Path) -> tuple[Tensors, Facts]:
    """The tensors and facts of a file; raises CheckpointError when it is none of ours."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise CheckpointError(f"{path} is a pipe, a socket or a device, and no file.")
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
        facts = _facts(path, metadata)
        return unpacked(path.read_bytes(), path), facts
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing.") from None
    except OSError as fault:
        raise CheckpointError(f"{path} cannot be read: {reason(fault)}.") from fault
    except SafetensorError as fault:
        raise CheckpointError(
            f"{path} cannot be read as safetensors: {in_short(fault)}."
        ) from fault


def _facts(path: Path, metadata: Mapping[str, str]) -> Facts:
    try:
        content = parsed(metadata.get("ganvas", "{}"))
    except FormError as fault:
        raise CheckpointError(f"the description in {path} is damaged: {fault}.") from None
    version = metadata.get("format")  # of foreign files it is torch's, which says "pt"
    if content and version != FORMAT:
        raise CheckpointError(
            f"{path} has format {str(version)[:20]!r}, and this ganvas reads {FORMAT}: update "
            "ganvas."
        )
    facts = facts_of(content, path)
    if not all(name in facts for name in NEEDED):
        raise CheckpointError(
            f"{path} is not a generator of ganvas; write one with: ganvas export RUN --out FILE."
        )
    return facts


def _halved(tensor: Tensor) -> Tensor:
    """In half precision, unless its numbers are none there."""
    if not tensor.is_floating_point():
        return tensor
    halved = tensor.half()
    return halved if torch.isfinite(halved).all() else tensor.float()
