"""Images in a .zip archive, read in place: nothing is extracted.

A faulty file is refused alone, by name. Common deviations are accepted: names with `./` or `//`,
headers that disagree with the directory, flags and attributes of another system.
"""

import bz2
import lzma
import stat
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from ganvas.data.sources.entry import (
    GENERATED,
    Entry,
    Found,
    compose,
    is_clutter,
    name_objection,
    plain_name,
)
from ganvas.data.sources.zip_directory import (
    ENCRYPTED,
    MASKED,
    PATCHED,
    STRONGLY_ENCRYPTED,
    DirectoryError,
    Listed,
    entries,
)
from ganvas.errors import GanvasError
from ganvas.events import Refusal
from ganvas.imaging import Frame, Pixels, UnreadableImageError, check_bytes, decode, is_generated
from ganvas.runtime.names import printable
from ganvas.runtime.system import check_regular, reason

MAX_RATIO = 200  # photographs and even flat drawings stay far below; bombs go far above
SMALL = 2**20  # bytes that are harmless at any ratio: a blank image compresses very well
STORED, DEFLATED, BZIP2, LZMA = 0, 8, 12, 14
DOS = {0, 10}  # FAT and NTFS: names may have backslashes, and files have no Unix mode
_LOCAL = struct.Struct("<4s22x2H")  # local header: signature, lengths of name and extra field
_DEVICES = {stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFCHR, stat.S_IFBLK}
_DOS_FOLDER = 0x10  # an attribute


class BadArchiveError(GanvasError, ValueError):
    """An archive that cannot be read at all."""


class _DamagedError(ValueError):
    """Data that does not decompress to what the directory says."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an open archive."""

    file: BinaryIO
    turn: threading.Lock  # one thread at a time moves in the file
    listed: Listed
    name: str
    include_generated: bool = False
    stamp: None = None

    def digest(self) -> str:
        return f"{self.listed.crc:08x}-{self.listed.size}"

    def image(self, frame: Frame) -> Pixels:
        """The decoded image; only decoding shows whether ganvas generated it."""
        data = self._bytes()
        if not self.include_generated and is_generated(data):
            raise UnreadableImageError(GENERATED)
        return decode(data, frame)

    def _bytes(self) -> bytes:
        try:
            return unpack(self.listed, self._packed_bytes())
        except MemoryError as fault:
            raise UnreadableImageError("needs more memory than there is") from fault
        # The exceptions of the standard library's decompressors for damaged data.
        except (OSError, EOFError, ValueError, struct.error, zlib.error, lzma.LZMAError) as fault:
            what = str(fault) or "it ends too early"
            raise UnreadableImageError(f"is damaged in the archive ({what})") from fault

    def _packed_bytes(self) -> bytes:
        listed = self.listed
        # Compression makes nothing much larger: a directory that claims so is wrong.
        most = listed.size + listed.size // 16 + SMALL
        with self.turn:
            self.file.seek(listed.offset)
            header = self.file.read(_LOCAL.size)
            if len(header) < _LOCAL.size or not header.startswith(b"PK\3\4"):
                raise _DamagedError("it is not where the directory says")
            _, name, extra = _LOCAL.unpack(header)
            self.file.seek(name + extra, 1)
            return self.file.read(min(listed.packed, most))


def unpack(listed: Listed, data: bytes) -> bytes:
    """A file's bytes, at most as many as the directory says; raises ValueError and others."""
    found = _UNPACK[listed.method](data, listed.size)
    if len(found) < listed.size:
        raise _DamagedError("it ends too early")
    if zlib.crc32(found) != listed.crc:
        raise _DamagedError("Bad CRC-32: its bytes are not those that were packed")
    return found


def _from_stored(data: bytes, size: int) -> bytes:
    return data[:size]


def _from_deflated(data: bytes, size: int) -> bytes:
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, size) if size else b""


def _from_bzip2(data: bytes, size: int) -> bytes:
    return bz2.BZ2Decompressor().decompress(data, size)


def _from_lzma(data: bytes, size: int) -> bytes:
    """Two bytes of version, two of length, the filter's properties, and a raw stream."""
    _, length, numbers, window = struct.unpack_from("<HHBL", data)
    position_bits, rest = divmod(numbers, 5 * 9)
    literal_position, literal_context = divmod(rest, 9)
    properties = {
        "id": lzma.FILTER_LZMA1,
        "dict_size": max(4096, min(window, size)),  # a file cannot refer to more than its size
        "lc": literal_context,
        "lp": literal_position,
        "pb": position_bits,
    }
    unpack = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[properties])
    return unpack.decompress(data[4 + length :], size)


_UNPACK: dict[int, Callable[[bytes, int], bytes]] = {
    STORED: _from_stored,
    DEFLATED: _from_deflated,
    BZIP2: _from_bzip2,
    LZMA: _from_lzma,
}


@contextmanager
def archive(path: Path) -> Iterator[Found]:
    """The files in an archive; raises BadArchiveError when it has no readable table of contents."""
    try:
        check_regular(path)
        file = path.open("rb")
    except OSError as fault:
        raise BadArchiveError(_unreadable(path, reason(fault))) from fault
    with file:
        try:
            listed = entries(file)
        except OSError as fault:
            raise BadArchiveError(_unreadable(path, reason(fault))) from fault
        except DirectoryError as fault:
            raise BadArchiveError(_unreadable(path, str(fault))) from fault
        turn = threading.Lock()
        found, all_of_it = (_sorted_out(file, turn, listed, too) for too in (False, True))
        yield replace(found, with_generated=all_of_it)


def _unreadable(path: Path, why: str) -> str:
    return f"{printable(str(path))} is not a readable .zip archive ({why})"


def _sorted_out(
    file: BinaryIO, turn: threading.Lock, listed: list[Listed], include_generated: bool
) -> Found:
    members: dict[str, Entry] = {}
    refused: list[Refusal] = []
    for one in listed:
        written = _with_slashes(one)
        parts = [part for part in written.split("/") if part not in ("", ".")]
        if _is_folder(one, written) or any(is_clutter(p) and p != ".." for p in parts):
            continue
        name = compose("/".join(parts))
        if objection := _objection(one) or _duplicate(name in members):
            refused.append(Refusal(plain_name(name), objection))
        else:
            members[name] = Member(file, turn, one, name, include_generated)
    return Found([members[name] for name in sorted(members)], tuple(refused))


def _with_slashes(listed: Listed) -> str:
    """The name with the separators of the standard: older tools of Windows write backslashes."""
    return listed.name.replace("\\", "/") if listed.system in DOS else listed.name


def _is_folder(listed: Listed, written: str) -> bool:
    if written.endswith("/"):
        return True
    mode = stat.S_IFMT(listed.attributes >> 16)
    marked = bool(listed.attributes & _DOS_FOLDER) or (
        listed.system not in DOS and mode == stat.S_IFDIR
    )
    return marked and listed.size == 0


def _duplicate(known: bool) -> str | None:
    return "has the name of an earlier file in the archive" if known else None


def _objection(listed: Listed) -> str | None:
    """The first reason against a file, from the archive's table of contents alone."""
    return next((reason for reason in (check(listed) for check in _CHECKS) if reason), None)


def _place(listed: Listed) -> str | None:
    name = _with_slashes(listed)
    if "\0" in name:
        return "has a name with a NUL character"
    if "\\" in name:
        return "has a name with a backslash"
    if name.startswith("/") or name[1:2] == ":":
        return "has an absolute path as its name"
    return "has a name that leads out of the archive (..)" if ".." in name.split("/") else None


def _type(listed: Listed) -> str | None:
    if listed.system in DOS:
        return None  # the field of the Unix mode has no meaning here
    kind = stat.S_IFMT(listed.attributes >> 16)
    if kind == stat.S_IFLNK:
        return "is a link"
    return "is not a file but a pipe, a socket or a device" if kind in _DEVICES else None


def _packing(listed: Listed) -> str | None:
    if listed.flags & (ENCRYPTED | STRONGLY_ENCRYPTED | MASKED):
        return "is encrypted"
    if listed.flags & PATCHED or listed.method not in _UNPACK:
        return "is packed in an uncommon way (make the archive with stored or deflated files)"
    return None


def _size(listed: Listed) -> str | None:
    try:
        check_bytes(listed.size)
    except UnreadableImageError as error:
        return str(error)
    if listed.size > max(SMALL, MAX_RATIO * listed.packed):
        return f"is packed more than {MAX_RATIO} times smaller, like a decompression bomb"
    return None


_CHECKS: tuple[Callable[[Listed], str | None], ...] = (
    lambda listed: listed.fault,
    _place,
    _type,
    _packing,
    _size,
    lambda listed: name_objection(listed.name),
)
