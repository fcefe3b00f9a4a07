"""Remembers the digests of files, so that an unchanged folder is not read again."""

import secrets
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ganvas.data.cache import INDEX, explained
from ganvas.data.entry import Entry
from ganvas.data.parallel import in_order
from ganvas.images import UnreadablePictureError

UNREADABLE = ""  # in place of a digest; it is not remembered, so such a file is tried again

_known = TypeAdapter(dict[str, tuple[str, str]])  # name: stamp, digest


class Index:
    """The digests of one source's files, each valid as long as its stamp is the same."""

    def __init__(self, cache: Path, source: str | Path) -> None:
        place = str(Path(source).expanduser().absolute()).encode("utf-8", "surrogateescape")
        self._cache = cache
        self._path = cache / INDEX / f"{blake2b(place, digest_size=16).hexdigest()}.json"
        self._known = _load(self._path)

    def unknown(self, entries: Sequence[Entry]) -> list[Entry]:
        """The entries that must be read to know their digest; all other files are forgotten."""
        names = {entry.name for entry in entries}
        self._known = {name: known for name, known in self._known.items() if name in names}
        return [entry for entry in entries if entry.stamp and not self._remembered(entry)]

    def read(self, entries: Sequence[Entry], workers: int) -> Iterator[None]:
        """Read entries and remember their digests; yields after each."""
        try:
            for entry, digest in zip(entries, in_order(_digest, entries, workers), strict=True):
                if entry.stamp and digest != UNREADABLE:
                    self._known[entry.name] = entry.stamp, digest
                yield
        finally:
            self._save()

    def digests(self, entries: Sequence[Entry]) -> list[str]:
        """The digest of every entry, when all of them have been read."""
        return [self._remembered(entry) if entry.stamp else _digest(entry) for entry in entries]

    def _remembered(self, entry: Entry) -> str:
        stamp, digest = self._known.get(entry.name, (None, UNREADABLE))
        return digest if stamp == entry.stamp else UNREADABLE

    def _save(self) -> None:
        temporary = self._path.with_suffix(f".{secrets.token_hex(4)}.tmp")
        with explained(self._cache):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(_known.dump_json(self._known))
            temporary.replace(self._path)


def _digest(entry: Entry) -> str:
    try:
        return entry.digest()
    except UnreadablePictureError:
        return UNREADABLE


def _load(path: Path) -> dict[str, tuple[str, str]]:
    try:
        return _known.validate_json(path.read_bytes())
    except (OSError, ValidationError):  # it only saves time
        return {}
