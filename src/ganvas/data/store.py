"""Prepared pictures on disk: one file of raw pixels and a manifest."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from errno import ENOSPC
from math import prod
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from ganvas.data.cache import PICTURES, TEMPORARY, explained
from ganvas.events import Refusal
from ganvas.images import Pixels

PIXELS, MANIFEST = "pixels.u8", "manifest.json"
CHUNK = 2**22  # pixels that are turned to grey at a time


@dataclass(frozen=True)
class Manifest:
    """What a folder holds: (count, height, width, channels), names and refusals."""

    shape: tuple[int, int, int, int]
    names: tuple[str, ...]
    refused: tuple[Refusal, ...]


_manifest = TypeAdapter(Manifest)


def stored(folder: Path) -> Manifest | None:
    """What was prepared in a folder, if it is there and complete."""
    try:
        manifest = _manifest.validate_json((folder / MANIFEST).read_bytes())
        complete = (folder / PIXELS).stat().st_size == prod(manifest.shape)
    except (OSError, ValidationError):
        return None
    return manifest if complete else None


def check_space(cache: Path, wanted: int) -> None:
    """Raises CacheError now instead of an hour later."""
    with explained(cache):
        cache.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(cache).free < wanted:
            raise OSError(ENOSPC, f"{wanted // 10**6} MB are needed")


class Writer:
    """Pixels that arrive picture by picture; nothing is valid before `finish`."""

    def __init__(self, cache: Path) -> None:
        self.names: list[str] = []
        self.grey = True
        self._cache = cache
        self._shape: tuple[int, ...] = ()
        self._folder = cache / PICTURES / f"{TEMPORARY}{secrets.token_hex(8)}"
        with explained(cache):
            self._folder.mkdir(parents=True)
            self._file = (self._folder / PIXELS).open("wb")

    def add(self, name: str, picture: Pixels) -> None:
        """Append a picture (height, width, channels); raises CacheError when the disk is full."""
        self.names.append(name)
        self._shape = picture.shape
        self.grey = self.grey and bool((picture[..., 1:] == picture[..., :1]).all())
        with explained(self._cache):
            self._file.write(picture.tobytes())

    def finish(self, key: str, refused: tuple[Refusal, ...], channels: int) -> Manifest:
        """Make the pictures valid under `key`, keeping the first `channels` of grey ones."""
        with explained(self._cache):
            self._close()
            height, width, decoded = self._shape
            if channels < decoded:
                self._keep_first_channel(decoded)
            shape = len(self.names), height, width, channels
            manifest = Manifest(shape, tuple(self.names), refused)
            (self._folder / MANIFEST).write_bytes(_manifest.dump_json(manifest))
            self._publish(self._cache / PICTURES / key)
        return manifest

    def discard(self) -> None:
        """Remove what has not been finished."""
        self._file.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _close(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def _keep_first_channel(self, channels: int) -> None:
        wide, narrow = self._folder / PIXELS, self._folder / "grey.u8"
        with wide.open("rb") as source, narrow.open("wb") as target:
            while chunk := source.read(CHUNK * channels):
                target.write(chunk[::channels])
            target.flush()
            os.fsync(target.fileno())
        narrow.replace(wide)

    def _publish(self, target: Path) -> None:
        try:
            self._folder.rename(target)
        except OSError:
            if stored(target):  # another process was faster, and its pictures are the same
                return
            shutil.rmtree(target, ignore_errors=True)
            self._folder.rename(target)


@contextmanager
def writing(cache: Path) -> Iterator[Writer]:
    """A writer whose traces vanish unless it finishes."""
    writer = Writer(cache)
    try:
        yield writer
    finally:
        writer.discard()
