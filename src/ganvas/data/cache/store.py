"""Prepared images on disk: one file of raw pixels and a manifest.

A set may be replaced by a better one while other processes read it. They continue with the file
that they have opened. On opening, manifest and pixels are checked to belong together.
"""

import mmap
import os
import secrets
import shutil
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass as plain_dataclass
from errno import ENOSPC
from math import prod
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from ganvas.data.cache.place import IMAGES, TEMPORARY, owned
from ganvas.events import Refusal
from ganvas.imaging import Pixels
from ganvas.runtime.cache import explained

FORMAT = 3  # raise it when decoding changes: all images are then prepared again
PIXELS, MANIFEST = "pixels.u8", "manifest.json"
CHUNK = 2**22  # pixels converted to grey, or bytes checked, at a time
TRIES = 5  # for opening or publishing a set that other processes publish at the same time

_Count = Annotated[int, Field(ge=0)]
_Side = Annotated[int, Field(ge=1)]


@dataclass(frozen=True, config=ConfigDict(strict=True))
class Manifest:
    """The contents of a folder: shape (count, height, width, channels), names and refusals.

    `places` are the positions of the refused files among all files to be decoded, `checksum` is the
    CRC-32 of the pixels.
    """

    shape: tuple[_Side, _Side, _Side, _Side]
    names: tuple[str, ...]
    refused: tuple[Refusal, ...]
    places: tuple[_Count, ...] = ()
    format: int = 1
    checksum: _Count = 0

    def files(self) -> tuple[str, ...]:
        """The names of all files to be decoded, in order; none if the manifest is inconsistent."""
        total = len(self.names) + len(self.refused)
        refused = dict(zip(self.places, self.refused, strict=False))
        if len(refused) != len(self.refused) or max(refused, default=0) >= max(1, total):
            return ()
        names = iter(self.names)
        return tuple(
            refused[place].name if place in refused else next(names) for place in range(total)
        )

    def holds(self, files: Sequence[str], form: tuple[int, int, int]) -> bool:
        """Whether this set was prepared from the files of these names, in this form."""
        return (
            self.format == FORMAT
            and self.shape == (len(self.names), *form)
            and self.files() == tuple(files)
        )


@plain_dataclass(frozen=True)
class Stored:
    """A manifest, and the pixels that belong to it."""

    key: str
    manifest: Manifest
    pixels: mmap.mmap


_manifest = TypeAdapter(Manifest)


def load_stored(folder: Path, files: Sequence[str], form: tuple[int, int, int]) -> Stored | None:
    """The set prepared in a folder, if it exists, is complete and matches.

    It matches if it was prepared from files of these names, as images of `form`: height, width,
    channels.
    """
    for _ in range(TRIES):
        try:
            written = (folder / MANIFEST).read_bytes()
            manifest = _manifest.validate_json(written)
            if not manifest.holds(files, form):
                return None
            pixels = _pixels(folder, manifest)
            if pixels is None:
                return None
            if (folder / MANIFEST).read_bytes() == written:  # else another set has replaced it
                return Stored(folder.name, manifest, pixels)
        except (OSError, ValidationError):
            return None
    return None


def _pixels(folder: Path, manifest: Manifest) -> mmap.mmap | None:
    """The pixels in a folder; None if their size or checksum is wrong."""
    with (folder / PIXELS).open("rb") as file:
        if os.fstat(file.fileno()).st_size != prod(manifest.shape):
            return None
        found = 0
        while chunk := file.read(CHUNK):  # read through the map, they would stay in memory
            found = zlib.crc32(chunk, found)
        if found != manifest.checksum:
            return None
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def check_space(cache: Path, wanted: int) -> None:
    """Raise CacheError before any work if the disk has too little free space."""
    with explained(cache):
        cache.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(cache).free < wanted:
            raise OSError(ENOSPC, f"{wanted // 10**6} MB are needed")


class Writer:
    """Writes a set image by image; it is valid only after `finish`."""

    def __init__(self, cache: Path, folder: Path) -> None:
        self.names: list[str] = []
        self.grey = True
        self._cache = cache
        self._shape: tuple[int, ...] = ()
        self._checksum = 0
        self._folder = folder
        with explained(cache):
            self._folder.mkdir()
            self._file = (self._folder / PIXELS).open("wb")

    def add(self, name: str, image: Pixels) -> None:
        """Append an image (height, width, channels); raises CacheError when the disk is full."""
        self.names.append(name)
        self._shape = image.shape
        self.grey = self.grey and bool((image[..., 1:] == image[..., :1]).all())
        pixels = image.tobytes()
        self._checksum = zlib.crc32(pixels, self._checksum)
        with explained(self._cache):
            self._file.write(pixels)

    def finish(self, key: str, refused: dict[int, Refusal], channels: int) -> None:
        """Publish the set under `key`, keeping only the first `channels` of grey images.

        `refused` are the other files, by their position among all.
        """
        with explained(self._cache):
            self._close()
            height, width, decoded = self._shape
            if channels < decoded:
                self._keep_first_channel(decoded)
            shape = len(self.names), height, width, channels
            names, places = tuple(self.names), tuple(refused)
            manifest = Manifest(
                shape, names, tuple(refused.values()), places, FORMAT, self._checksum
            )
            (self._folder / MANIFEST).write_bytes(_manifest.dump_json(manifest))
            self._publish(self._cache / IMAGES / key, manifest)

    def discard(self) -> None:
        """Remove an unfinished set."""
        with suppress(OSError):  # the disk is full, which was reported already
            self._file.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _close(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def _keep_first_channel(self, channels: int) -> None:
        wide, narrow = self._folder / PIXELS, self._folder / "grey.u8"
        self._checksum = 0
        with wide.open("rb") as source, narrow.open("wb") as target:
            while chunk := source.read(CHUNK * channels):
                kept = chunk[::channels]
                self._checksum = zlib.crc32(kept, self._checksum)
                target.write(kept)
            target.flush()
            os.fsync(target.fileno())
        narrow.replace(wide)

    def _publish(self, target: Path, manifest: Manifest) -> None:
        """Move the set to its final path, unless an equally good or better one is there."""
        for _ in range(TRIES):
            try:
                self._folder.rename(target)
                return
            except OSError:
                if not target.exists():
                    raise
            if _as_good(target, manifest):
                return
            self._take_away(target)
        self._folder.rename(target)

    def _take_away(self, target: Path) -> None:
        """Remove a set in one step; processes that have it open can continue."""
        stale = self._cache / IMAGES / f"{TEMPORARY}{secrets.token_hex(8)}"
        with suppress(FileNotFoundError):  # another process was faster
            target.rename(stale)
        shutil.rmtree(stale, ignore_errors=True)


@contextmanager
def writing(cache: Path) -> Iterator[Writer]:
    """A writer whose files are removed unless it finishes."""
    with owned(cache) as folder:
        writer = Writer(cache, folder)
        try:
            yield writer
        finally:
            writer.discard()


def _as_good(folder: Path, manifest: Manifest) -> bool:
    """Whether a folder holds a complete set of the same files with at least as many usable ones."""
    try:
        there = _manifest.validate_json((folder / MANIFEST).read_bytes())
        whole = _pixels(folder, there) is not None
    except (OSError, ValidationError):
        return False
    return (
        whole
        and there.holds(manifest.files(), manifest.shape[1:])
        and there.shape[0] >= manifest.shape[0]
    )
