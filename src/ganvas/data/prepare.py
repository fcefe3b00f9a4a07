"""Prepare the images of a source: decode them once, then read them from the cache."""

import re
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, field_validator
from pydantic.dataclasses import dataclass

from ganvas.data.cache.index import Index
from ganvas.data.cache.marks import unmark
from ganvas.data.cache.place import IMAGES, sweep
from ganvas.data.cache.store import Stored, check_space, load_stored, writing
from ganvas.data.dataset import ImageDataset
from ganvas.data.distinct import Known, is_near_duplicate, near_duplicate_of
from ganvas.data.labels import LabelsName
from ganvas.data.sources.entry import GENERATED, Entry, Found, key_name, plain_name
from ganvas.data.sources.find import find
from ganvas.errors import GanvasError
from ganvas.events import Event, Prepared, Preparing, Refusal
from ganvas.imaging import Fit, Frame, Pixels, UnreadableImageError, colour
from ganvas.runtime.atomic import write_bytes
from ganvas.runtime.cache import CacheError, cache_folder, explained
from ganvas.runtime.names import printable
from ganvas.runtime.parallel import in_order, usable_cores

KEY_FORMAT = 1  # of keys, by which runs identify their images; the cache's format is in store.py
WAITING = 2**28  # bytes of decoded images that may wait to be written
TRIES, PAUSE = 10, 0.02  # attempts to open what was just written, and seconds between two
LARGEST = 4096  # pixels along a side
SECONDS_BETWEEN_EVENTS = 0.05
FEW = 3  # refusals that an error message quotes


class NoImagesError(GanvasError, ValueError):
    """A source without one usable image."""


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class DataSettings:
    """How images are selected and brought to one size and form."""

    size: Annotated[
        str | None,
        Field(
            description="Image size, height x width, such as 64 or 64x96.",
            json_schema_extra={"default": "by the source", "metavar": "HxW"},
        ),
    ] = None
    channels: Annotated[
        Literal["auto", "1", "3", "4"],
        Field(description="1: grey, 3: colour, 4: with transparency; auto: grey or colour."),
    ] = "auto"
    background: Annotated[
        str,
        Field(
            description="Colour behind transparent images and of padding.",
            json_schema_extra={"metavar": "COLOUR"},
        ),
    ] = Frame.background
    fit: Annotated[Fit, Field(description="How images of another shape are fitted.")] = Frame.fit
    mirror: Annotated[bool, Field(description="Also show the mirror image of each image.")] = False
    only: Annotated[
        str | None,
        Field(
            min_length=1,
            description="Pattern that file names must match, such as cats/*.",
            json_schema_extra={"metavar": "PATTERN"},
        ),
    ] = None
    max_aspect: Annotated[
        Annotated[float, Field(ge=1, le=1000, allow_inf_nan=False)] | None,
        Field(description="Leave out images whose sides have a larger ratio, such as 2."),
    ] = None
    ignore_smaller: Annotated[
        bool, Field(description="Leave out images that are smaller than --size.")
    ] = False
    distinct: Annotated[
        bool, Field(description="Leave out images that are nearly the same as another.")
    ] = False
    labels: Annotated[
        LabelsName, Field(description="Class labels: none, or the names of the images' folders.")
    ] = "none"
    include_generated: Annotated[
        bool, Field(description="Also use images that ganvas has generated.")
    ] = False

    @field_validator("size", "channels", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return str(value) if type(value) is int else value  # run.yaml has 64, not "64"

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
        """The frame for decoding; with `auto`, images are decoded in colour first."""
        height, width = parse_size(self.size or usual_size)
        channels = 3 if self.channels == "auto" else int(self.channels)
        return Frame(
            height,
            width,
            channels,
            self.fit,
            self.background,
            self.max_aspect,
            not self.ignore_smaller,
        )


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
) -> Generator[Event, None, ImageDataset]:
    """Decode a folder, a .zip archive or a built-in set once; returns an ImageDataset.

    Yields Preparing now and then, and Prepared at the end. Raises UnknownNameError,
    BadArchiveError, NoImagesError or CacheError. If it is stopped early, it leaves nothing behind.
    """
    cache, workers = cache or cache_folder(), workers or usable_cores()
    sweep(cache)
    with find(source) as everything:
        job = _Job(str(source), everything, settings, cache, workers)
        yield from job.read()
        found, refused = job.cached()
        from_cache = found is not None
        if found is None:
            found, refused = yield from job.fill()
    every = tuple(sorted((*job.left_out, *refused), key=lambda refusal: refusal.name))
    images = ImageDataset(found, every, str(source), settings.mirror, settings.labels)
    yield Prepared(images.source, images.usable, images.refused, from_cache, images.counts)
    return images


def key_of(
    source: str | Path, settings: DataSettings, *, cache: Path | None = None
) -> Generator[Event, None, str]:
    """The key that the ImageDataset of a source would have; nothing is decoded.

    With `channels="auto"` it is known only if the images have been prepared before. Raises what
    `prepare` raises.
    """
    with find(source) as everything:
        job = _Job(str(source), everything, settings, cache or cache_folder(), usable_cores())
        yield from job.read()
        return job.folder().name


def chosen(source: str, found: Found, only: str | None) -> Found:
    """The files of a source whose names match `only`; raises NoImagesError if none does."""
    if only is None:
        return found
    entries = [entry for entry in found.entries if _is_called(entry.name, only)]
    if not entries and found.entries:
        raise NoImagesError(
            f"no image of {printable(source)} has a name like '{printable(only)}'; the first is "
            f"called '{plain_name(found.entries[0].name)}'."
        )
    refused = tuple(refusal for refusal in found.refused if fnmatchcase(refusal.name, only))
    return replace(found, entries=entries, refused=refused)


def _is_called(name: str, only: str) -> bool:
    return fnmatchcase(name, only) or fnmatchcase(plain_name(name), only)


class _Job:
    """One preparation: reads digests to find the key, then decodes unless the cache has it.

    With `auto` the number of channels is known once all images have been decoded, and is stored
    beside them: the images are stored as if that number had been requested.
    """

    def __init__(
        self, source: str, everything: Found, settings: DataSettings, cache: Path, workers: int
    ) -> None:
        late = everything.with_generated if settings.include_generated else None
        found = chosen(source, late or everything, settings.only)
        self._source, self._all = source, found.entries
        self.left_out = list(found.refused)
        """Files that are not decoded, and why; `read` adds those that ganvas generated."""
        self._include_generated = settings.include_generated
        # Keys of runs leave generated files out; in an archive only decoding shows which they are.
        about = {
            "generated too": bool(late),
            f"aspect {settings.max_aspect}": settings.max_aspect is not None,
            "none smaller": settings.ignore_smaller,
            "distinct": settings.distinct,
        }
        self._about = tuple(name for name, holds in about.items() if holds)
        self._distinct = settings.distinct
        self._frame = settings.frame(found.size)
        self._auto = settings.channels == "auto"
        self._cache, self._workers = cache, workers
        self._index = Index(cache, source)
        self._progress = _Progress(len(self._all), len(self._all))
        self._entries: list[Entry] = []
        self._digests: list[str] = []

    def read(self) -> Iterator[Event]:
        """Read the digest of every new or changed file, and leave out what ganvas generated."""
        unknown = self._index.unknown(self._all)
        self._progress = _Progress(len(self._all), len(self._all) + len(unknown))
        for _ in self._index.read(self._all, unknown, self._workers) if unknown else ():
            yield from self._progress.step()
        for entry, digest in zip(self._all, self._index.digests(self._all), strict=True):
            content, generated = unmark(digest)
            if generated and not self._include_generated:
                self.left_out.append(Refusal(plain_name(entry.name), GENERATED))
            else:
                self._entries.append(entry)
                self._digests.append(content)

    def folder(self) -> Path:
        """The cache folder for images of this content and these settings."""
        return self._cache / IMAGES / self._key(self._channels())

    def cached(self) -> tuple[Stored | None, list[Refusal]]:
        """The cached set and the refused files; None if everything must be decoded.

        Refused files are tried again: a decoder or memory that was missing may be available now. If
        one of them can be used, everything is decoded again.
        """
        found = self._stored()
        if found is None:
            return None, []
        refused, again = list[Refusal](), list[Entry]()
        for place, refusal in zip(found.manifest.places, found.manifest.refused, strict=True):
            if is_near_duplicate(refusal.reason):  # and stays one
                refused.append(refusal)
            else:
                again.append(self._entries[place])
        for result in self._decoded(again):
            if not isinstance(result, Refusal):
                return None, []
            refused.append(result)
        return found, refused

    def fill(self) -> Generator[Event, None, tuple[Stored, list[Refusal]]]:
        """Decode everything into the cache."""
        frame = self._frame
        wanted = len(self._entries) * _bytes_of(frame)
        check_space(self._cache, wanted)
        refused: dict[int, Refusal] = {}
        known = Known()
        with writing(self._cache) as writer:
            for place, result in enumerate(self._decoded(self._entries)):
                name = plain_name(self._entries[place].name)
                if isinstance(result, Refusal):
                    refused[place] = result
                elif self._distinct and (same := known.add(name, result)) is not None:
                    refused[place] = Refusal(name, near_duplicate_of(same))
                else:
                    writer.add(name, result)
                yield from self._progress.step()
            if not writer.names:
                why = [*self.left_out, *refused.values()]
                raise NoImagesError(_no_images(self._source, why))
            channels = 1 if self._auto and writer.grey else frame.channels
            if self._auto:
                with explained(self._cache):
                    write_bytes(self._remembered(), b"%d" % channels)
            writer.finish(self._key(channels), refused, channels)
        for _ in range(TRIES):
            if (found := self._stored()) is not None:
                return found, list(found.manifest.refused)
            time.sleep(PAUSE)  # another process is replacing it by a better set
        raise CacheError(f"{self._cache} was changed by another process meanwhile; try again.")

    def _stored(self) -> Stored | None:
        form = self._frame.height, self._frame.width, self._channels()
        return load_stored(self.folder(), [plain_name(entry.name) for entry in self._entries], form)

    def _channels(self) -> int:
        try:
            known = int(self._remembered().read_bytes()) if self._auto else self._frame.channels
        except (OSError, ValueError):
            return self._frame.channels  # not seen before, and so not in the cache either
        return known if known in (1, self._frame.channels) else self._frame.channels

    def _remembered(self) -> Path:
        return self._cache / IMAGES / f"{self._key(0)}.channels"

    def _key(self, channels: int) -> str:
        """A digest that identifies the content of this source and these settings."""
        frame = replace(self._frame, channels=channels)
        form = (frame.height, frame.width, frame.channels, frame.fit, frame.background)
        about = (KEY_FORMAT, form, *self._about)
        key = blake2b(repr(about).encode(), digest_size=16)
        for entry, digest in zip(self._entries, self._digests, strict=True):
            key.update(f"{key_name(entry.name)}\0{digest}\0".encode())
        return key.hexdigest()

    def _decoded(self, entries: Sequence[Entry]) -> Iterator[Pixels | Refusal]:
        waiting = WAITING // _bytes_of(self._frame)
        return in_order(partial(_decode, frame=self._frame), entries, self._workers, waiting)


class _Progress:
    """Reports how many files are done, at most every SECONDS_BETWEEN_EVENTS."""

    def __init__(self, files: int, work: int) -> None:
        self._files, self._work = files, work
        self._done, self._told = 0, 0.0

    def step(self) -> Iterator[Preparing]:
        """Count one more file as read or decoded, and report it if it is time."""
        self._done += 1
        now = time.monotonic()
        if now - self._told >= SECONDS_BETWEEN_EVENTS or self._done == self._work:
            self._told = now
            yield Preparing(self._done * self._files // self._work, self._files)


def _decode(entry: Entry, frame: Frame) -> Pixels | Refusal:
    try:
        return entry.image(frame)
    except UnreadableImageError as error:
        return Refusal(plain_name(entry.name), printable(str(error)))


def _bytes_of(frame: Frame) -> int:
    return frame.height * frame.width * frame.channels


def _no_images(source: str, refused: Sequence[Refusal]) -> str:
    where = printable(source)
    if not refused:
        return f"there are no images in {where}: it is empty"
    reasons = [f"{refusal.name} {refusal.reason}" for refusal in refused[:FEW]]
    more = [f"and {len(refused) - FEW} more files"] if len(refused) > FEW else []
    return f"there is no usable image in {where}: {', '.join([*reasons, *more])}"
