"""Store the digests of files, so that an unchanged folder is not read again."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, StringConstraints, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from ganvas.data.cache.place import INDEX
from ganvas.data.sources.entry import Entry, plain_name
from ganvas.imaging import UnreadableImageError
from ganvas.runtime.atomic import write_bytes
from ganvas.runtime.cache import explained
from ganvas.runtime.names import absolute
from ganvas.runtime.parallel import in_order

UNREADABLE = ""  # in place of a digest; it is not stored, so that such a file is tried again
FORMAT = 2  # 1 had no marks of generated images

_Stamp = Annotated[str, StringConstraints(pattern=r"^\d{1,20}--?\d{1,20}$")]
_Digest = Annotated[str, StringConstraints(pattern=r"^(generated-)?[0-9a-f]{32}$")]


@dataclass(frozen=True, config=ConfigDict(extra="forbid", strict=True))
class _Known:
    """The contents of the index file; `check` is a checksum."""

    format: int
    check: str
    files: dict[str, tuple[_Stamp, _Digest]]


_known = TypeAdapter(_Known)
_files = TypeAdapter(dict[str, tuple[str, str]])


class Index:
    """The digests of one source's files, each valid as long as the file's stamp is the same."""

    def __init__(self, cache: Path, source: str | Path) -> None:
        place = os.fsencode(absolute(source))
        self._cache = cache
        self._path = cache / INDEX / f"{blake2b(place, digest_size=16).hexdigest()}.json"
        self._known = _load(self._path)

    def unknown(self, entries: Sequence[Entry]) -> list[Entry]:
        """The entries that must be read for their digest; files not among `entries` are dropped."""
        named = _unambiguous_names(entries)
        self._known = {name: self._known[name] for name in named if name in self._known}
        return [
            entry
            for name, entry in zip(named, entries, strict=True)
            if entry.stamp and not self._recall(name, entry)
        ]

    def read(
        self, entries: Sequence[Entry], unknown: Sequence[Entry], workers: int
    ) -> Iterator[None]:
        """Read the unknown entries and store their digests; yields after each.

        Raises CacheError, before anything is read, if the cache cannot be written.
        """
        with explained(self._cache):
            self._path.parent.mkdir(parents=True, exist_ok=True)
        unique = _unambiguous_names(entries)
        names = {id(entry): name for name, entry in zip(unique, entries, strict=True)}
        try:
            for entry, digest in zip(unknown, in_order(_digest, unknown, workers), strict=True):
                if entry.stamp and digest != UNREADABLE:
                    self._known[names[id(entry)]] = entry.stamp, digest
                yield
        finally:
            self._save()

    def digests(self, entries: Sequence[Entry]) -> list[str]:
        """The digest of every entry, once all of them have been read."""
        return [
            self._recall(name, entry) if entry.stamp else _digest(entry)
            for name, entry in zip(_unambiguous_names(entries), entries, strict=True)
        ]

    def _recall(self, name: str, entry: Entry) -> str:
        stamp, digest = self._known.get(name, (None, UNREADABLE))
        return digest if stamp == entry.stamp else UNREADABLE

    def _save(self) -> None:
        with explained(self._cache):
            known = _Known(FORMAT, _check(self._known), self._known)
            write_bytes(self._path, _known.dump_json(known))


def _unambiguous_names(entries: Sequence[Entry]) -> list[str]:
    """A unique name for each entry: several may have the same printable name."""
    seen: Counter[str] = Counter()
    names = []
    for entry in entries:
        name = plain_name(entry.name)
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}\0{seen[name]}")
    return names


def _digest(entry: Entry) -> str:
    try:
        return entry.digest()
    except UnreadableImageError:
        return UNREADABLE


def _check(files: dict[str, tuple[str, str]]) -> str:
    return blake2b(_files.dump_json(files), digest_size=8).hexdigest()


def _load(path: Path) -> dict[str, tuple[str, str]]:
    """The stored digests; empty if the file is damaged, because it only saves time."""
    try:
        known = _known.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return {}
    return known.files if (known.format, known.check) == (FORMAT, _check(known.files)) else {}
