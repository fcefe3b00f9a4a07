"""Images in a folder and the folders below it."""

import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from ganvas.data.cache.marks import mark
from ganvas.data.sources.entry import (
    Found,
    compose,
    is_clutter,
    key_name,
    name_objection,
    plain_name,
)
from ganvas.events import Refusal
from ganvas.imaging import (
    Frame,
    Pixels,
    UnreadableImageError,
    check_bytes,
    decode,
    is_generated,
    read_bytes,
)

CHUNK = 2**20  # bytes read at a time for a digest
HEAD = 2**24  # bytes searched for the mark of generated images, which comes before the pixels

RUN_SETTINGS = "run.yaml"
RUN_RESULTS = {"metrics.jsonl", "checkpoints", "search", "race"}  # what a run writes beside it


def is_run(names: Collection[str]) -> bool:
    """Whether a folder that holds these names is a run directory, even of a run just begun."""
    return RUN_SETTINGS in names and not RUN_RESULTS.isdisjoint(names)


@dataclass(frozen=True, slots=True)
class File:
    """A file below `root`; `place` is its path from there, as the system writes it."""

    root: Path
    place: str
    stamp: str

    @property
    def name(self) -> str:
        return compose(_with_slashes(self.place))

    def digest(self) -> str:
        """The digest of the content, marked if ganvas generated the file."""
        path, content, head = self.root / self.place, blake2b(digest_size=16), bytearray()
        try:
            with path.open("rb") as file:
                check_bytes(os.fstat(file.fileno()).st_size)
                while chunk := file.read(CHUNK):  # in chunks: several threads do this at once
                    content.update(chunk)
                    if len(head) < HEAD:
                        head += chunk
        except OSError as error:
            raise UnreadableImageError(f"cannot be opened ({error.strerror})") from error
        return mark(content.hexdigest(), is_generated(bytes(head)))

    def image(self, frame: Frame) -> Pixels:
        return decode(read_bytes(self.root / self.place), frame)


@contextmanager
def folder(root: Path) -> Iterator[Found]:
    """The files below `root`; links are followed, but no folder is read twice."""
    yield Found(*files_below(root))


def files_below(root: Path) -> tuple[list[File], tuple[Refusal, ...]]:
    """Files that may be images, in the order of their names, and those that are not."""
    walk = _Walk(root)
    walk.run()
    # The order of older versions: another one would change how their runs resume.
    files = sorted(walk.files, key=lambda file: (key_name(file.name), file.place))
    return files, tuple(walk.refused)


class _Walk:
    """A walk through folders that follows links, and visits no folder twice."""

    def __init__(self, root: Path) -> None:
        self.files: list[File] = []
        self.refused: list[Refusal] = []
        self._root = root
        self._folders = [""]
        self._linked: list[str] = []  # entered last, so that images go by their real names
        self._seen: set[tuple[int, int]] = set()
        for parent in Path(os.path.realpath(root)).parents:
            with suppress(OSError):  # access to the parents is not required
                self._seen.add(_identity(parent.stat()))

    def run(self) -> None:
        while self._folders or self._linked:
            self._enter((self._folders or self._linked).pop())

    def _enter(self, place: str) -> None:
        try:
            identity = _identity((self._root / place).stat())
            names = os.listdir(self._root / place) if identity not in self._seen else None
        except OSError as error:
            return self._refuse(place, f"cannot be opened ({error.strerror})")
        if names is None:
            return self._refuse(
                place, "is a link to a folder that is read already, or to one above"
            )
        self._seen.add(identity)
        if place and is_run(names):  # else a run beside its images would train on its own samples
            return self._refuse(place, "is a run directory, whose images are generated")
        for name in sorted(names):
            if not is_clutter(name):
                self._look(os.path.join(place, name))
        return None

    def _look(self, place: str) -> None:
        path = self._root / place
        try:
            status = path.stat()
        except OSError as error:
            reason = f"cannot be opened ({error.strerror})"
            return self._refuse(place, "is a broken link" if path.is_symlink() else reason)
        if stat.S_ISDIR(status.st_mode):
            return (self._linked if path.is_symlink() else self._folders).append(place)
        if not stat.S_ISREG(status.st_mode):
            return self._refuse(place, "is not a file but a pipe, a socket or a device")
        if objection := name_objection(place):
            return self._refuse(place, objection)
        stamp = f"{status.st_size}-{status.st_mtime_ns}"
        return self.files.append(File(self._root, place, stamp))

    def _refuse(self, place: str, reason: str) -> None:
        self.refused.append(Refusal(plain_name(_with_slashes(place)) or ".", reason))


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _with_slashes(place: str) -> str:
    return place.replace(os.sep, "/")
