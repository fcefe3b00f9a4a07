"""From a source and settings to prepared pictures: decoded once, then read from the cache."""

import re
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import astuple, replace
from fnmatch import fnmatchcase
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, field_validator
from pydantic.dataclasses import dataclass

from ganvas.data.cache import PICTURES, cache_folder, sweep
from ganvas.data.classes import LabelsName
from ganvas.data.entry import Entry, Found
from ganvas.data.find import find
from ganvas.data.index import Index
from ganvas.data.parallel import in_order, usable_cores
from ganvas.data.pictures import Pictures
from ganvas.data.store import Manifest, check_space, stored, writing
from ganvas.errors import GanvasError
from ganvas.events import Event, Prepared, Preparing, Refusal
from ganvas.images import Fit, Frame, Pixels, UnreadablePictureError, colour

FORMAT = 1  # to be raised when pictures are decoded differently: then all are prepared anew
LARGEST = 4096  # pixels along a side
SECONDS_BETWEEN_EVENTS = 0.05
FEW = 3  # refusals that an error message quotes


class NoPicturesError(GanvasError, ValueError):
    """A source without one usable picture."""


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class DataSettings:
    """How pictures are brought to one form."""

    size: Annotated[
        str | None,
        Field(description="height x width, such as 64 or 64x96; unset: what suits the source"),
    ] = None
    channels: Annotated[
        Literal["auto", "1", "3", "4"],
        Field(description="1 grey, 3 colour, 4 with transparency; auto: 1 if all are grey, else 3"),
    ] = "auto"
    background: Annotated[
        str, Field(description="colour behind transparent pictures and of added borders")
    ] = Frame.background
    fit: Annotated[
        Fit, Field(description="other shapes: crop to the centre, pad with borders, or stretch")
    ] = Frame.fit
    mirror: Annotated[bool, Field(description="show mirror images of all pictures too")] = False
    only: Annotated[
        str | None,
        Field(min_length=1, description="use only pictures of such names, such as cats/*"),
    ] = None
    labels: Annotated[
        LabelsName, Field(description="what tells a GAN what pictures show: nothing, or folders")
    ] = "none"

    @field_validator("size", "channels", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return str(value) if type(value) is int else value  # run files say 64, not "64"

    @field_validator("size")
    @classmethod
    def _is_size(cls, value: str | None) -> str | None:
        return None if value is None else "{}x{}".format(*parse_size(value))

    @field_validator("background")
    @classmethod
    def _is_colour(cls, value: str) -> str:
        colour(value)
        return value

    def frame(self, usual_size: str) -> Frame:
        """The frame for decoding; with `auto` the colours are kept until all have been seen."""
        height, width = parse_size(self.size or usual_size)
        channels = 3 if self.channels == "auto" else int(self.channels)
        return Frame(height, width, channels, self.fit, self.background)


def parse_size(text: str) -> tuple[int, int]:
    """Height and width of "64" or "64x96"; raises ValueError."""
    match = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", text)
    height, width = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not (0 < height <= LARGEST and 0 < width <= LARGEST):
        raise ValueError(f"size must be like 64 or 64x96, up to {LARGEST}, not {text!r}")
    return height, width


def prepare(
    source: str | Path,
    settings: DataSettings,
    *,
    cache: Path | None = None,
    workers: int | None = None,
) -> Generator[Event, None, Pictures]:
    """Decode a folder, a .zip archive or a built-in set once; returns its Pictures.

    Yields Preparing now and then, Prepared at the end. Raises UnknownNameError, BadArchiveError,
    NoPicturesError or CacheError. Stopped early, it leaves nothing behind.
    """
    cache, workers = cache or cache_folder(), workers or usable_cores()
    sweep(cache)
    with find(source) as everything:
        found = chosen(str(source), everything, settings.only)
        job = _Job(str(source), found, settings, cache, workers)
        yield from job.read()
        manifest = stored(job.folder())
        from_cache = manifest is not None
        manifest = manifest or (yield from job.fill())
        refused = (*found.refused, *manifest.refused)
    manifest = replace(manifest, refused=tuple(sorted(refused, key=lambda refusal: refusal.name)))
    pictures = Pictures(job.folder(), manifest, str(source), settings.mirror, settings.labels)
    yield Prepared(pictures.source, pictures.usable, pictures.refused, from_cache)
    return pictures


def chosen(source: str, found: Found, only: str | None) -> Found:
    """What of a source has such names; raises NoPicturesError where nothing has."""
    if only is None:
        return found
    entries = [entry for entry in found.entries if fnmatchcase(entry.name, only)]
    if not entries and found.entries:
        raise NoPicturesError(
            f"no picture of {source} has a name like {only!r}; the first is called "
            f"{found.entries[0].name!r}."
        )
    refused = tuple(refusal for refusal in found.refused if fnmatchcase(refusal.name, only))
    return replace(found, entries=entries, refused=refused)


class _Job:
    """One preparation: reads digests to find the key, then decodes unless the cache has it.

    With `auto` the number of channels is known once all pictures have been seen, and remembered
    beside them: pictures are stored under the number that they have, as if it had been asked for.
    """

    def __init__(
        self, source: str, found: Found, settings: DataSettings, cache: Path, workers: int
    ) -> None:
        self._source, self._entries, self._refused = source, found.entries, found.refused
        self._frame = settings.frame(found.size)
        self._auto = settings.channels == "auto"
        self._cache, self._workers = cache, workers
        self._index = Index(cache, source)
        self._progress = _Progress(len(found.entries), len(found.entries))

    def read(self) -> Iterator[Event]:
        """Learn the digest of every file that is new or has changed."""
        unknown = self._index.unknown(self._entries)
        self._progress = _Progress(len(self._entries), len(self._entries) + len(unknown))
        for _ in self._index.read(unknown, self._workers) if unknown else ():
            yield from self._progress.step()

    def folder(self) -> Path:
        """Where pictures of this content and these settings lie, or will lie."""
        return self._cache / PICTURES / self._key(self._channels())

    def fill(self) -> Generator[Event, None, Manifest]:
        """Decode everything into the cache."""
        frame = self._frame
        wanted = len(self._entries) * frame.height * frame.width * frame.channels
        check_space(self._cache, wanted)
        refused: list[Refusal] = []
        with writing(self._cache) as writer:
            for entry, result in self._decoded():
                if isinstance(result, Refusal):
                    refused.append(result)
                else:
                    writer.add(entry.name, result)
                yield from self._progress.step()
            if not writer.names:
                raise NoPicturesError(_no_pictures(self._source, [*self._refused, *refused]))
            channels = 1 if self._auto and writer.grey else frame.channels
            if self._auto:
                self._remembered().write_bytes(b"%d" % channels)
            return writer.finish(self._key(channels), tuple(refused), channels)

    def _channels(self) -> int:
        try:
            return int(self._remembered().read_bytes()) if self._auto else self._frame.channels
        except (OSError, ValueError):
            return self._frame.channels  # not seen before, and so not in the cache either

    def _remembered(self) -> Path:
        return self._cache / PICTURES / f"{self._key(0)}.channels"

    def _key(self, channels: int) -> str:
        """What tells this source and these settings apart from all others."""
        frame = replace(self._frame, channels=channels)
        key = blake2b(repr((FORMAT, astuple(frame))).encode(), digest_size=16)
        for entry, digest in zip(self._entries, self._index.digests(self._entries), strict=True):
            key.update(f"{entry.name}\0{digest}\0".encode())
        return key.hexdigest()

    def _decoded(self) -> Iterator[tuple[Entry, Pixels | Refusal]]:
        results = in_order(partial(_decode, frame=self._frame), self._entries, self._workers)
        return zip(self._entries, results, strict=True)


class _Progress:
    """Tells how many files are done, but not more often than anyone can see."""

    def __init__(self, files: int, work: int) -> None:
        self._files, self._work = files, work
        self._done, self._told = 0, 0.0

    def step(self) -> Iterator[Preparing]:
        """One more piece of the work is done: read a file, or decode it."""
        self._done += 1
        now = time.monotonic()
        if now - self._told >= SECONDS_BETWEEN_EVENTS or self._done == self._work:
            self._told = now
            yield Preparing(self._done * self._files // self._work, self._files)


def _decode(entry: Entry, frame: Frame) -> Pixels | Refusal:
    try:
        return entry.picture(frame)
    except UnreadablePictureError as error:
        return Refusal(entry.name, str(error))


def _no_pictures(source: str, refused: Sequence[Refusal]) -> str:
    if not refused:
        return f"there are no pictures in {source}: it is empty"
    reasons = [f"{refusal.name} {refusal.reason}" for refusal in refused[:FEW]]
    more = [f"and {len(refused) - FEW} more files"] if len(refused) > FEW else []
    return f"there is no usable picture in {source}: {', '.join([*reasons, *more])}"
