"""The central directory of a .zip archive, read entry by entry.

Python's own reader rejects a whole archive for one faulty entry. Here a fault concerns its entry
alone and is stored as its `fault`. Only the directory at the end is trusted; the headers before
each file's data, which many tools leave incomplete, only say where the data begins.

Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_END = struct.Struct("<4s4H2LH")
_LOCATOR_64 = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s4B4HL2L5H2L")
_FIELD = struct.Struct("<HH")
_LONGEST_TAIL = 2**20  # bytes after the end record: a comment, and what a transfer has added
_LARGEST = 2**29  # bytes of a directory: millions of files
_IN_EXTRA, _ZIP64 = 0xFFFFFFFF, 0x0001

ENCRYPTED, PATCHED, STRONGLY_ENCRYPTED, UTF8, MASKED = 1, 1 << 5, 1 << 6, 1 << 11, 1 << 13


class DirectoryError(ValueError):
    """No archive, or one whose directory cannot be read at all; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The directory entry of one file."""

    name: str  # as it was written
    system: int  # on which the archive was made: 0 is DOS, 3 Unix
    flags: int
    method: int
    crc: int
    packed: int  # bytes in the archive
    size: int  # bytes when unpacked
    attributes: int  # of DOS in the lower half, of the other system in the upper half
    offset: int  # of its local header, in the file
    fault: str | None  # why it cannot be read


def entries(file: BinaryIO) -> list[Listed]:
    """The entries of an archive, in its own order; raises DirectoryError or OSError."""
    length = file.seek(0, os.SEEK_END)
    first = max(0, length - _LONGEST_TAIL - _END.size)
    file.seek(first)
    tail = file.read(_LONGEST_TAIL + _END.size)
    reason = "it has no directory at its end"
    at = tail.rfind(b"PK\5\6")
    while at >= 0:  # what looks like the end record may be part of the comment
        try:
            return _list_entries(file, first + at, tail[at : at + _END.size])
        except DirectoryError as fault:
            reason = str(fault)
        at = tail.rfind(b"PK\5\6", 0, at)
    raise DirectoryError(reason)


def _list_entries(file: BinaryIO, at: int, end: bytes) -> list[Listed]:
    """The entries before the end record at offset `at` of the file."""
    if len(end) < _END.size:
        raise DirectoryError("its end is cut off")
    *_, count, size, offset, _comment = _END.unpack(end)
    if (large := _end_64(file, at)) is not None:
        at, count, size, offset = large
    # If data precedes the archive, all offsets are shifted by its length. If the directory's size
    # is wrong, its offset may be right.
    found: list[Listed] = []
    reason = "its directory is not where its end says"
    for start, before in ((at - size, at - size - offset), (offset, 0)):
        try:
            listed = list(_parse(_from(file, start, at - start), before))
        except DirectoryError as fault:
            reason = str(fault)
            continue
        if len(listed) % 2**16 == count % 2**16:
            return listed
        found = max(found, listed, key=len)
    if not found:
        raise DirectoryError(reason)
    return found


def _end_64(file: BinaryIO, at: int) -> tuple[int, int, int, int] | None:
    """Offset of the ZIP64 end record, if any, and the count, size and offset of the entries."""
    if at < _LOCATOR_64.size + _END_64.size:
        return None
    data = _from(file, at - _LOCATOR_64.size, _LOCATOR_64.size)
    if len(data) < _LOCATOR_64.size or not data.startswith(b"PK\6\7"):
        return None
    stated = _LOCATOR_64.unpack(data)[2]
    for place in (at - _LOCATOR_64.size - _END_64.size, min(stated, at)):
        record = _from(file, place, _END_64.size)
        if len(record) == _END_64.size and record.startswith(b"PK\6\6"):
            *_, count, size, offset = _END_64.unpack(record)
            return place, count, size, offset
    return None


def _from(file: BinaryIO, place: int, size: int) -> bytes:
    if place < 0 or size < 0:
        raise DirectoryError("its directory is not where its end says")
    if size > _LARGEST:
        raise DirectoryError("its directory is too large")
    file.seek(place)
    return file.read(size)


def _parse(data: bytes, before: int) -> Iterator[Listed]:
    at = 0
    while data[at : at + 4] == b"PK\1\2":
        if at + _ENTRY.size > len(data):
            break
        fixed = _ENTRY.unpack_from(data, at)
        lengths = fixed[12:15]  # of name, extra fields and comment
        start, at = at + _ENTRY.size, at + _ENTRY.size + sum(lengths)
        if at > len(data):
            break
        middle = start + lengths[0]
        yield _entry(fixed, data[start:middle], data[middle : middle + lengths[1]], before)
    if at < len(data) and data[at : at + 4] not in (b"PK\5\5", b"PK\6\6"):  # a signature, an end
        raise DirectoryError("its directory is damaged")


def _entry(fixed: tuple[int, ...], name: bytes, extra: bytes, before: int) -> Listed:
    system, flags, method, crc, packed, size = fixed[2], *fixed[5:7], *fixed[9:12]
    attributes, offset = fixed[17], fixed[18]
    # Values too large for their field follow in an extra field, in this order.
    large, fault = _large_values(extra), None
    values = [size, packed, offset]
    for number, value in enumerate(values):
        if value == _IN_EXTRA and large:
            values[number] = large.pop(0)
        elif value == _IN_EXTRA and large is not None:
            fault = "is damaged in the archive (its size or place is missing)"
    size, packed, offset = values
    return Listed(
        _decode(name, flags),
        system,
        flags,
        method,
        crc,
        packed,
        size,
        attributes,
        offset + before,
        fault,
    )


def _large_values(extra: bytes) -> list[int] | None:
    """The values of the ZIP64 extra field; None if there is none. Damaged fields end the search."""
    at = 0
    while at + _FIELD.size <= len(extra):
        kind, length = _FIELD.unpack_from(extra, at)
        at += _FIELD.size
        if kind == _ZIP64:
            body = extra[at : min(at + length, len(extra))]
            return [value for (value,) in struct.iter_unpack("<Q", body[: len(body) // 8 * 8])]
        at += length
    return None


def _decode(name: bytes, flags: int) -> str:
    """Decode a name; invalid UTF-8 is kept in surrogates, as `os.fsdecode` does."""
    return name.decode("utf-8", "surrogateescape") if flags & UTF8 else name.decode("cp437")
