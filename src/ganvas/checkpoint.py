"""Checkpoints: a run or a model as data, complete or not there at all.

A checkpoint is a folder of safetensors files, a `facts.json` and, written last, a `manifest.json`
with every file's size and sha256. It is written under a temporary name, flushed to the disk, and
renamed, so that a reader finds either all of it or nothing. Nothing is ever unpickled.
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from ganvas.errors import GanvasError

FORMAT = 1
# How facts of an older format become those of the next one, by the older format's number.
PATCHES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}

_FACTS, _MANIFEST, _UNFINISHED = "facts.json", "manifest.json", ".unfinished-"

Tensors = dict[str, Tensor]


class CheckpointError(GanvasError, RuntimeError):
    """A checkpoint that cannot be written or read; the message says which file and what to do."""


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint whose manifest has been read; files are verified as they are read."""

    folder: Path
    facts: Mapping[str, Any]
    files: Mapping[str, Mapping[str, Any]]

    def tensors(self, name: str) -> Tensors:
        """The tensors of one file; raises CheckpointError when it is damaged."""
        return safetensors.torch.load(_verified(self.folder, f"{name}.safetensors", self.files))

    def all_tensors(self) -> dict[str, Tensors]:
        """The tensors of every file, by name."""
        stems = [Path(name).stem for name in self.files if name.endswith(".safetensors")]
        return {stem: self.tensors(stem) for stem in stems}


def write(folder: Path, tensors: Mapping[str, Tensors], facts: Mapping[str, Any]) -> None:
    """Write all of it at `folder`, or nothing; raises CheckpointError, a full disk included."""
    unfinished = folder.with_name(f"{_UNFINISHED}{folder.name}-{os.getpid()}")
    with _explained(folder), _removed_on_failure(unfinished):
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        contents = {f"{name}.safetensors": _packed(named) for name, named in tensors.items()}
        contents[_FACTS] = _as_json(facts)
        files = {name: _write_file(unfinished / name, data) for name, data in contents.items()}
        _write_file(unfinished / _MANIFEST, _as_json({"format": FORMAT, "files": files}))
        _flush_folder(unfinished)
        _replace_folder(unfinished, folder)


def read(folder: Path) -> Checkpoint:
    """Open a checkpoint; raises CheckpointError when it is incomplete, damaged or too new."""
    manifest = _parsed(folder / _MANIFEST, _bytes_of(folder / _MANIFEST))
    version, files = manifest.get("format"), manifest.get("files")
    if not isinstance(version, int) or not isinstance(files, dict):
        raise CheckpointError(f"{folder / _MANIFEST} is not the manifest of a checkpoint.")
    if version > FORMAT:
        raise CheckpointError(
            f"{folder} has format {version}, and this ganvas reads up to {FORMAT}: update ganvas."
        )
    facts = _parsed(folder / _FACTS, _verified(folder, _FACTS, files))
    for older in range(version, FORMAT):
        facts = PATCHES[older](facts)
    return Checkpoint(folder, facts, files)


def verify(checkpoint: Checkpoint) -> Checkpoint:
    """The same checkpoint, every byte of it checked; raises CheckpointError."""
    for name in checkpoint.files:
        _verified(checkpoint.folder, name, checkpoint.files)
    return checkpoint


def listed(root: Path) -> list[Path]:
    """The checkpoints below `root`, newest first; unfinished ones are none."""
    if not root.is_dir():
        return []
    return sorted((path for path in root.glob("step-*") if path.is_dir()), reverse=True)


def newest(root: Path) -> tuple[Checkpoint, list[str]]:
    """The newest good checkpoint below `root`, and a sentence for each damaged one passed over.

    Raises CheckpointError when there is none.
    """
    passed_over: list[str] = []
    for folder in listed(root):
        try:
            return verify(read(folder)), passed_over
        except CheckpointError as fault:
            passed_over.append(f"{fault} The checkpoint before it is used instead.")
    if passed_over:
        faults = " ".join(
            p.removesuffix(" The checkpoint before it is used instead.") for p in passed_over
        )
        raise CheckpointError(f"no checkpoint below {root} is whole: {faults}")
    raise CheckpointError(f"there is no checkpoint below {root}; has the run been saved yet?")


def prune(root: Path, keep: int, spared: Path | None = None) -> None:
    """Delete all but the newest `keep` checkpoints, and one more that is spared."""
    for folder in listed(root)[keep:]:
        if folder != spared:
            shutil.rmtree(folder)
    for leftover in root.glob(f"{_UNFINISHED}*"):
        if not _alive(int(leftover.name.rpartition("-")[2])):
            shutil.rmtree(leftover, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _packed(tensors: Tensors) -> bytes:
    return safetensors.torch.save({name: t.detach().contiguous() for name, t in tensors.items()})


def _as_json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, indent=1).encode()


def _write_file(path: Path, data: bytes) -> dict[str, Any]:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _verified(folder: Path, name: str, files: Mapping[str, Mapping[str, Any]]) -> bytes:
    if name not in files:
        raise CheckpointError(f"{folder} holds no {name}: it is not the checkpoint of such a run.")
    data = _bytes_of(folder / name)
    if hashlib.sha256(data).hexdigest() != files[name].get("sha256"):
        raise CheckpointError(f"{folder / name} is damaged: its checksum is not the one written.")
    return data


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing.") from None
    except OSError as fault:
        raise CheckpointError(f"{path} cannot be read: {fault.strerror}.") from fault


def _parsed(path: Path, data: bytes) -> dict[str, Any]:
    try:
        content = json.loads(data)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} is damaged: it is not JSON.")
    return content


def _replace_folder(new: Path, folder: Path) -> None:
    if folder.exists():  # a run resumed from an earlier step comes past here again
        stale = folder.with_name(f"{_UNFINISHED}stale-{os.getpid()}")
        os.replace(folder, stale)
        os.replace(new, folder)
        shutil.rmtree(stale)
    else:
        os.replace(new, folder)
    _flush_folder(folder.parent)


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows has no handle for a folder; its renames are journalled
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _removed_on_failure(unfinished: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        full = fault.errno in (errno.ENOSPC, errno.EDQUOT)
        why = "the disk is full; free some space" if full else f"{fault.strerror}"
        raise CheckpointError(
            f"the checkpoint {folder} could not be written: {why}. The one before it is untouched."
        ) from fault
