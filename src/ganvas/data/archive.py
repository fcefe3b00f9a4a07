"""Pictures in a .zip archive, read in place: nothing is ever extracted."""

import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ganvas.data.entry import Found, is_clutter, name_objection, plain_name
from ganvas.errors import GanvasError
from ganvas.events import Refusal
from ganvas.images import Frame, Pixels, UnreadablePictureError, check_bytes, decode

MAX_RATIO = 200  # photographs and even flat drawings stay far below; bombs go far above
SMALL = 2**20  # bytes that cannot harm, whatever their ratio: a blank picture packs very well


class BadArchiveError(GanvasError, ValueError):
    """An archive that cannot be read at all."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an open archive."""

    archive: zipfile.ZipFile
    info: zipfile.ZipInfo
    stamp: None = None

    @property
    def name(self) -> str:
        return plain_name(self.info.filename)

    def digest(self) -> str:
        return f"{self.info.CRC:08x}-{self.info.file_size}"

    def picture(self, frame: Frame) -> Pixels:
        return decode(self._bytes(), frame)

    def _bytes(self) -> bytes:
        try:
            with self.archive.open(self.info) as file:
                return file.read(self.info.file_size)  # without a limit a lying size would explode
        # Hostile archives make zipfile raise nearly every class of exception.
        except Exception as error:
            reason = f"is damaged in the archive ({str(error) or 'it ends too early'})"
            raise UnreadablePictureError(reason) from error


@contextmanager
def archive(path: Path) -> Iterator[Found]:
    """The files in an archive; raises BadArchiveError when it has no readable table of contents."""
    try:
        opened = zipfile.ZipFile(path)
    except Exception as error:  # as above
        raise BadArchiveError(f"{path} is not a readable .zip archive ({error})") from error
    with opened:
        yield _sorted_out(opened)


def _sorted_out(opened: zipfile.ZipFile) -> Found:
    members: dict[str, Member] = {}
    refused: list[Refusal] = []
    for info in opened.infolist():
        name = plain_name(info.filename)
        if info.is_dir() or any(is_clutter(part) and part != ".." for part in name.split("/")):
            continue
        if objection := _objection(info) or _duplicate(name in members):
            refused.append(Refusal(name, objection))
        else:
            members[name] = Member(opened, info)
    return Found([members[name] for name in sorted(members)], tuple(refused))


def _duplicate(known: bool) -> str | None:
    return "has the name of an earlier file in the archive" if known else None


def _objection(info: zipfile.ZipInfo) -> str | None:
    """The first reason against a file, from the archive's table of contents alone."""
    return next((reason for reason in (check(info) for check in _CHECKS) if reason), None)


def _place(info: zipfile.ZipInfo) -> str | None:
    name = info.orig_filename  # as it was written: zipfile itself cuts names and turns slashes
    if "\0" in name:
        return "has a name with a NUL character"
    if "\\" in name:
        return "has a name with a backslash"
    if name.startswith("/") or name[1:2] == ":":
        return "has an absolute path as its name"
    return "has a name that leads out of the archive (..)" if ".." in name.split("/") else None


def _type(info: zipfile.ZipInfo) -> str | None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "is a link"
    return None if kind in (0, stat.S_IFREG) else "is not a file but a pipe, a socket or a device"


def _packing(info: zipfile.ZipInfo) -> str | None:
    if info.flag_bits & 1:
        return "is encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is packed in an uncommon way (make the archive with stored or deflated files)"
    return None


def _size(info: zipfile.ZipInfo) -> str | None:
    try:
        check_bytes(info.file_size)
    except UnreadablePictureError as error:
        return str(error)
    if info.file_size > max(SMALL, MAX_RATIO * info.compress_size):
        return f"is packed more than {MAX_RATIO} times smaller, like a decompression bomb"
    return None


_CHECKS: tuple[Callable[[zipfile.ZipInfo], str | None], ...] = (
    _place,
    _type,
    _packing,
    _size,
    lambda info: name_objection(info.filename),
)
