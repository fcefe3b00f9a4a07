"""Checkpoints: a run or a model on disk, complete or not there at all.

A checkpoint is a folder of safetensors files, a `metadata.json` and, written last, a
`manifest.json` with the size and sha256 of every file. It is written under a temporary name,
flushed to the disk and renamed, so that a reader finds either all of it or nothing. Nothing is ever
unpickled, and nothing is used before it has been validated.

In the directory of a run, checkpoints are called `step-` and a number. Any other files there belong
to the user; they are ignored and never deleted.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Annotated, Any, NotRequired

import psutil
import safetensors.torch
from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, with_config
from safetensors import SafetensorError
from torch import Tensor
from typing_extensions import TypedDict  # that of Python 3.11 cannot be read by pydantic

from ganvas.checkpoints.metadata import (
    FORMAT,
    CheckpointError,
    ModelMetadata,
    RunMetadata,
    StateMetadata,
    metadata_of,
    model_of,
    state_of,
)
from ganvas.checkpoints.patches import rename_tensors
from ganvas.runtime.atomic import flush_folder
from ganvas.runtime.forms import Count, FormError, parse, validate
from ganvas.runtime.names import printable
from ganvas.runtime.system import read_regular, reason

MANIFEST, METADATA, _UNFINISHED = "manifest.json", "metadata.json", ".unfinished-"
OLD_METADATA = "facts.json"  # of format 1
_STEP = re.compile(r"step-([0-9]+)")
_LEFTOVER = re.compile(r"\.unfinished-(?:step-[0-9]+|stale)-([0-9]{1,9})")
# Files in a checkpoint's folder that do not belong to the user; macOS writes the last two.
_OURS = re.compile(
    r"manifest\.json|metadata\.json|facts\.json|[\w-]+\.safetensors|\._.*|\.DS_Store"
)
FAULTS = 3  # faults that an error message quotes at most

Tensors = dict[str, Tensor]


class _UndecidedError(CheckpointError):
    """A checkpoint may be intact, but this ganvas is too old for it or the disk refused a read."""


def _is_plain(name: str) -> str:
    if not re.fullmatch(r"\w[\w.-]*", name, re.ASCII):
        raise ValueError("that is not the name of a checkpoint file")
    return name


@with_config(ConfigDict(extra="ignore"))
class _File(TypedDict):
    bytes: NotRequired[Count]
    sha256: Annotated[str, Field(strict=True, pattern="^[0-9a-f]{64}$")]


@with_config(ConfigDict(extra="ignore"))
class _Manifest(TypedDict):
    format: Annotated[Count, Field(ge=1)]
    files: dict[Annotated[str, AfterValidator(_is_plain)], _File]


_MANIFEST_FORM = TypeAdapter(_Manifest)


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint whose manifest has been read; files are verified as they are read."""

    folder: Path
    metadata: RunMetadata
    files: Mapping[str, Mapping[str, Any]]
    version: int = FORMAT

    @property
    def model(self) -> ModelMetadata:
        """What is needed to build the networks; raises CheckpointError where that is missing."""
        return model_of(self.metadata, self.folder)

    @property
    def state(self) -> StateMetadata:
        """The numbers of the state; raises CheckpointError where they are missing."""
        return state_of(self.metadata, self.folder)

    def tensors(self, name: str) -> Tensors:
        """The tensors of one file; raises CheckpointError when it is damaged."""
        file = f"{name}.safetensors"
        found = unpack(_verify_file(self.folder, file, self.files), self.folder / file)
        return rename_tensors(found, self.version)

    def all_tensors(self) -> dict[str, Tensors]:
        """The tensors of every file, by name."""
        stems = [Path(name).stem for name in self.files if name.endswith(".safetensors")]
        return {stem: self.tensors(stem) for stem in stems}


def write(folder: Path, tensors: Mapping[str, Tensors], metadata: RunMetadata) -> None:
    """Write a complete checkpoint at `folder`, or nothing.

    Raises CheckpointError, also for a full disk.
    """
    unfinished = folder.with_name(f"{_UNFINISHED}{folder.name}-{os.getpid()}")
    with _explained(folder), _removed_on_failure(unfinished):
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        contents = {f"{name}.safetensors": _pack(named) for name, named in tensors.items()}
        contents[METADATA] = metadata.as_json().encode()
        files = {name: _write_file(unfinished / name, data) for name, data in contents.items()}
        _write_file(unfinished / MANIFEST, _as_json({"format": FORMAT, "files": files}))
        flush_folder(unfinished)
        _replace_folder(unfinished, folder)


def read(folder: Path) -> Checkpoint:
    """Open a checkpoint; raises CheckpointError when it is incomplete, damaged or too new."""
    manifest = _manifest(folder)
    version, files = manifest["format"], manifest["files"]
    name = OLD_METADATA if version == 1 else METADATA
    data = _verify_file(folder, name, files)
    try:
        content = parse(data)
    except FormError as fault:
        raise CheckpointError(f"{folder / name} is damaged: {in_short(fault)}.") from None
    return Checkpoint(folder, metadata_of(content, version, folder / name), files, version)


def verify(checkpoint: Checkpoint) -> Checkpoint:
    """Check every byte of a checkpoint, and return it; raises CheckpointError."""
    for name in checkpoint.files:
        _verify_file(checkpoint.folder, name, checkpoint.files)
    return checkpoint


def list_checkpoints(root: Path) -> list[Path]:
    """The checkpoints below `root`, newest first: the folders called `step-` and a number."""
    numbered = [
        (int(match[1]), path)
        for path in _entries(root)
        if (match := _STEP.fullmatch(path.name)) and _is_folder(path)
    ]
    return [path for _, path in sorted(numbered, reverse=True)]


def step_of(folder: Path) -> int:
    """The step of a checkpoint, by the name of its folder."""
    return int(folder.name.removeprefix("step-"))


def newest(root: Path) -> tuple[Checkpoint, list[str]]:
    """The newest intact checkpoint below `root`, and a sentence for each damaged one skipped.

    Raises CheckpointError when there is none.
    """
    faults: list[str] = []
    for folder in list_checkpoints(root):
        try:
            found = verify(read(folder))
        except CheckpointError as fault:
            faults.append(str(fault))
        else:
            return found, [f"{fault} The checkpoint before it is used instead." for fault in faults]
    if faults:
        more = f" And so for {len(faults) - FAULTS} more." if len(faults) > FAULTS else ""
        raise CheckpointError(
            f"no checkpoint below {root} is whole: {' '.join(faults[:FAULTS])}{more}"
        )
    raise CheckpointError(f"there is no checkpoint below {root}; has the run been saved yet?")


def whole(folder: Path) -> bool:
    """Whether every byte of a checkpoint is as it was written.

    Raises CheckpointError where that cannot be decided: for a checkpoint of a newer ganvas, or
    while the disk refuses to read it.
    """
    try:
        stats = tuple(sorted(_stat(path) for path in folder.iterdir()))
    except OSError as fault:
        raise _UndecidedError(f"{folder} cannot be read: {reason(fault)}.") from fault
    return _whole(folder, stats)


@lru_cache(maxsize=256)  # unchanged checkpoints are not read again at every save
def _whole(folder: Path, stats: tuple[tuple[str, int, int, int], ...]) -> bool:
    try:
        verify(read(folder))
    except _UndecidedError:
        raise
    except CheckpointError:
        return False
    return True


def _stat(path: Path) -> tuple[str, int, int, int]:
    found = path.lstat()
    return path.name, found.st_size, found.st_mtime_ns, found.st_ino


def all_whole(root: Path) -> list[Path]:
    """The intact checkpoints below `root`, newest first."""
    return [path for path in list_checkpoints(root) if _wholeness(path) is True]


def newest_whole(root: Path) -> Path | None:
    """The newest intact checkpoint below `root`, if there is one; older ones are not read."""
    return next((path for path in list_checkpoints(root) if _wholeness(path) is True), None)


def _wholeness(folder: Path) -> bool | None:
    """Whether a checkpoint is intact; None where that cannot be decided."""
    try:
        return whole(folder)
    except CheckpointError:
        return None


def prune(root: Path, keep: int, spared: Path | None = None, saved: Path | None = None) -> None:
    """Delete all but the newest `keep` intact checkpoints, and the ones `spared` and `saved`.

    Only checkpoints older than the newest intact one are deleted: a damaged newer one may yet be
    rescued. What cannot be deleted stays; a failure here does not end a run.
    """
    found = {path: _wholeness(path) for path in list_checkpoints(root)}
    good = [path for path, is_whole in found.items() if is_whole]
    kept = {*good[: max(1, keep)], spared, saved}
    for path in [*found][[*found].index(good[0]) :] if good else []:
        if path not in kept and found[path] is not None:
            _delete(path)
    for path in _entries(root):
        if (match := _LEFTOVER.fullmatch(path.name)) and not _at_work(int(match[1])):
            shutil.rmtree(path, ignore_errors=True)


def _at_work(process: int) -> bool:
    return process != os.getpid() and psutil.pid_exists(process)


def _delete(folder: Path) -> None:
    """Delete a checkpoint, except for files that the user has put into its folder."""
    if folder.is_symlink():
        return  # the user has moved it elsewhere
    with suppress(OSError):
        # The manifest first: a partly deleted checkpoint must not look complete.
        (folder / MANIFEST).unlink(missing_ok=True)
        for path in folder.iterdir():
            if _OURS.fullmatch(path.name):
                path.unlink()
        folder.rmdir()


def _entries(root: Path) -> list[Path]:
    try:
        return [*root.iterdir()]
    except OSError:
        return []


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _manifest(folder: Path) -> _Manifest:
    path = folder / MANIFEST
    data = _bytes_of(path)
    try:
        content = parse(data)
        version = content.get("format") if isinstance(content, dict) else None
        if type(version) is int and version > FORMAT:  # before validating an unknown format
            raise _UndecidedError(
                f"{folder} has format {str(version)[:20]}, and this ganvas reads up to {FORMAT}: "
                "update ganvas."
            )
        return validate(_MANIFEST_FORM, content)
    except FormError as fault:
        raise CheckpointError(f"{path} is damaged: {fault}.") from None


def unpack(data: bytes, where: Path) -> Tensors:
    """The tensors of a safetensors file; raises CheckpointError with the file's name."""
    try:
        return safetensors.torch.load(data)
    # A dtype that torch does not have raises KeyError; one of less than a byte, with a shape that
    # does not fit, raises any of the others.
    except (SafetensorError, LookupError, RuntimeError, ValueError, TypeError) as fault:
        raise CheckpointError(
            f"{where} cannot be read as safetensors: {in_short(fault)}."
        ) from fault


def in_short(fault: BaseException) -> str:
    """The beginning of a library's error message, parts of which may come from a damaged file."""
    lines = str(fault).splitlines()
    return printable(lines[0][:120]).removesuffix(".") if lines else type(fault).__name__


def _pack(tensors: Tensors) -> bytes:
    return safetensors.torch.save({name: t.detach().contiguous() for name, t in tensors.items()})


def _as_json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, indent=1).encode()


def _write_file(path: Path, data: bytes) -> dict[str, Any]:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _verify_file(folder: Path, name: str, files: Mapping[str, Mapping[str, Any]]) -> bytes:
    if name not in files:
        raise CheckpointError(f"{folder} holds no {name}: it is not the checkpoint of a run.")
    data = _bytes_of(folder / name)
    if hashlib.sha256(data).hexdigest() != files[name]["sha256"]:
        raise CheckpointError(f"{folder / name} is damaged: its checksum is not the one written.")
    return data


def _bytes_of(path: Path) -> bytes:
    try:
        return read_regular(path)
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing.") from None
    except (IsADirectoryError, NotADirectoryError) as fault:
        raise CheckpointError(f"{path} cannot be read: {reason(fault)}.") from fault
    except OSError as fault:
        raise _UndecidedError(f"{path} cannot be read: {reason(fault)}.") from fault


def _replace_folder(new: Path, folder: Path) -> None:
    """Rename `new` to `folder`, whatever is in the way.

    If the process dies in between, the old checkpoint is still found.
    """
    aside = _aside(folder)
    if folder.is_dir() and not folder.is_symlink():  # as of a run resumed from an earlier step
        _delete(aside)
        if aside.exists():
            _rename_to_free(aside, folder)
        os.replace(folder, aside)
    elif os.path.lexists(folder):
        _rename_to_free(folder, folder)
    os.replace(new, folder)
    flush_folder(folder.parent)
    _delete(aside)
    with suppress(OSError):  # the checkpoint itself is written
        if aside.exists():  # it holds files of the user
            _rename_to_free(aside, folder)


def _aside(folder: Path) -> Path:
    """Where the old checkpoint lies during a replacement; readers still find a `step-` one."""
    match = _STEP.fullmatch(folder.name)
    return folder.with_name(f"step-0{match[1]}" if match else f"{_UNFINISHED}stale-{os.getpid()}")


def _rename_to_free(path: Path, folder: Path) -> None:
    """Keep files of the user next to a checkpoint, under a free name."""
    names = (folder.with_name(f"{folder.name} (replaced {number})") for number in count(1))
    os.rename(path, next(name for name in names if not os.path.lexists(name)))


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
        raise CheckpointError(
            f"the checkpoint {folder} could not be written: {reason(fault)}. What was saved "
            "before it is untouched."
        ) from fault
