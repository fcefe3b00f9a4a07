"""Exported generators: one small half-precision safetensors file with its metadata."""

from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ganvas.checkpoints.checkpoint import Tensors, in_short, unpack
from ganvas.checkpoints.metadata import FORMAT, CheckpointError, RunMetadata, metadata_of
from ganvas.checkpoints.patches import rename_tensors
from ganvas.runtime.atomic import replacing
from ganvas.runtime.forms import FormError, parse
from ganvas.runtime.system import reason

ENDING = ".safetensors"
READ = {str(version): version for version in range(1, FORMAT + 1)}


def write(path: Path, tensors: Tensors, metadata: RunMetadata) -> None:
    """Write a complete file or nothing; an existing file is replaced.

    The metadata is reduced to what may be public: the networks, what they learnt through, and for
    how long.
    """
    halved = {name: _halve(tensor).contiguous() for name, tensor in tensors.items()}
    state = metadata.state
    public = RunMetadata(
        ganvas=metadata.ganvas,
        model=metadata.model,
        pretrained=metadata.pretrained,
        images=metadata.images if state is None else state.images,
        seconds=metadata.seconds if state is None else state.seconds,
    )
    header = {"format": str(FORMAT), "ganvas": public.as_json()}
    with replacing(path) as temporary:
        temporary.write_bytes(safetensors.torch.save(halved, header))


def read(path: Path) -> tuple[Tensors, RunMetadata]:
    """The tensors and metadata of a file; raises CheckpointError if ganvas did not write it."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise CheckpointError(f"{path} is a pipe, a socket or a device, not a file.")
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
        metadata = _metadata(path, header)
        return rename_tensors(unpack(path.read_bytes(), path), _version(header)), metadata
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing.") from None
    except OSError as fault:
        raise CheckpointError(f"{path} cannot be read: {reason(fault)}.") from fault
    except SafetensorError as fault:
        raise CheckpointError(
            f"{path} cannot be read as safetensors: {in_short(fault)}."
        ) from fault


def _metadata(path: Path, header: Mapping[str, str]) -> RunMetadata:
    try:
        content = parse(header.get("ganvas", "{}"))
    except FormError as fault:
        raise CheckpointError(f"the description in {path} is damaged: {fault}.") from None
    version = header.get("format")  # "pt" in files that torch users write
    if content and version not in READ:
        raise CheckpointError(
            f"{path} has format {str(version)[:20]!r}, and this ganvas reads up to {FORMAT}: "
            "update ganvas."
        )
    metadata = metadata_of(content, _version(header), path)
    if metadata.model is None:
        raise CheckpointError(
            f"{path} is not a generator of ganvas; write one with: ganvas export RUN --out FILE."
        )
    return metadata


def _version(header: Mapping[str, str]) -> int:
    """The format of a file; the current one if it names none."""
    return READ.get(header.get("format", ""), FORMAT)


def _halve(tensor: Tensor) -> Tensor:
    """Convert to half precision, or to float32 if half precision overflows."""
    if not tensor.is_floating_point():
        return tensor
    halved = tensor.half()
    return halved if torch.isfinite(halved).all() else tensor.float()
