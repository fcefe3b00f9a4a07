"""Archives as tools write them, made by hand: what is odd in one file is no reason against others.

Field by field after PKWARE's APPNOTE.TXT 6.3.10; Python's own reader refuses many of them.
"""

import random
import struct
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass

import pytest

from ganvas.data import BadArchiveError
from ganvas.data.sources import archive as module
from ganvas.imaging import Frame, UnreadableImageError

UNIX, DOS, NTFS = 3, 0, 10


@dataclass
class File:
    """One file of an archive, and whatever may be odd about it."""

    name: bytes
    data: bytes
    flags: int = 0
    system: int = UNIX
    needs: int = 20  # version of the format
    attributes: int = 0o100644 << 16
    extra: bytes = b""
    local_name: bytes | None = None
    local_flags: int | None = None
    descriptor: bool = False
    large: bool = False  # sizes and place in an extra field, as in archives above 4 GB

    def local(self):
        name = self.name if self.local_name is None else self.local_name
        flags = self.flags if self.local_flags is None else self.local_flags
        told = zlib.crc32(self.data), len(self.data), len(self.data)
        after = b""
        if self.descriptor:
            told, flags, after = (0, 0, 0), flags | 8, struct.pack("<4s3L", b"PK\7\x08", *told)
        head = struct.pack(
            "<4s5H3L2H", b"PK\3\4", self.needs % 256, flags, 0, 0, 0, *told, len(name), 0
        )
        return head + name + self.data + after

    def entry(self, offset):
        size, extra = len(self.data), self.extra
        told = (size, size, offset)
        if self.large:
            extra += struct.pack("<2H3Q", 1, 24, *told)
            told = (2**32 - 1,) * 3
        head = struct.pack(
            "<4s4B4H3L5H2L",
            *(b"PK\1\2", 20, self.system, self.needs, 0, self.flags | 8 * self.descriptor, 0),
            *(0, 0, zlib.crc32(self.data), told[0], told[1], len(self.name), len(extra), 0, 0, 0),
            *(self.attributes, told[2]),
        )
        return head + self.name + extra


def packed(files, prefix=b"", comment=b"", adjusted=False, zip64=False, count=None):
    """An archive; with `adjusted` its offsets count what stands before it."""
    body, directory = b"", b""
    for file in files:
        directory += file.entry(len(body) + len(prefix) * adjusted)
        body += file.local()
    start = len(body) + len(prefix) * adjusted
    count = len(files) if count is None else count
    end = struct.pack(
        "<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), start, len(comment)
    )
    if zip64:
        record = struct.pack(
            "<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(directory), start
        )
        locator = struct.pack("<4sLQL", b"PK\6\7", 0, start + len(directory), 1)
        end = struct.pack(
            "<4s4H2LH", b"PK\5\6", 0, 0, *(2**16 - 1,) * 2, *(2**32 - 1,) * 2, len(comment)
        )
        end = record + locator + end
    return prefix + body + directory + end + comment


@pytest.fixture
def read(tmp_path, image_bytes):
    """Names that can be used, and refusals, of a good image and other files."""

    def read(*files, **options):
        path = tmp_path / "images.zip"
        path.write_bytes(packed([File(b"good.png", image_bytes()), *files], **options))
        with module.archive(path) as found:
            shapes = {entry.name: entry.image(Frame(8, 8)).shape for entry in found.entries}
        assert set(shapes.values()) <= {(8, 8, 3)}
        return sorted(shapes), {refusal.name: refusal.reason for refusal in found.refused}

    return read


@pytest.fixture
def one(image_bytes):
    return lambda name=b"one.png", **odd: File(name, image_bytes(1), **odd)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (b"./one.png", "one.png"),
        (b"././cat/one.png", "cat/one.png"),
        (b"cat//one.png", "cat/one.png"),
        (b"cat/./one.png", "cat/one.png"),
        (b".//cat///one.png", "cat/one.png"),
    ],
)
def test_names_that_say_the_same_place(read, one, written, name):
    assert read(one(written)) == (sorted(["good.png", name]), {})


@pytest.mark.parametrize(
    "odd",
    [
        {"needs": 255},
        {"needs": 64},
        {"extra": b"\x75\x70\xff\x00\x01"},
        {"extra": b"\x01"},
        {"extra": struct.pack("<2H", 1, 8)},
        {"system": DOS, "attributes": 0o120777 << 16},
        {"system": DOS, "attributes": 0xFFFF0020},
        {"system": NTFS, "attributes": 0o010666 << 16 | 0x20},
        {"attributes": 0},
        {"attributes": 0o644 << 16},
        {"local_name": b"another.png"},
        {"local_name": b""},
        {"local_name": b"\xff\xfe.png", "local_flags": 1 << 11},
        {"local_flags": 1},
        {"descriptor": True},
        {"descriptor": True, "large": True},
        {"large": True},
        {"flags": 1 << 11},
        {"flags": 0b110},
    ],
    ids=str,
)
def test_what_says_nothing_of_the_image(read, one, odd):
    assert read(one(**odd)) == (["good.png", "one.png"], {})


def test_a_name_that_is_not_what_its_flag_says(read, one):
    names, refused = read(one(b"caf\xe9.png", flags=1 << 11))
    assert (names, refused) == (["caf\udce9.png", "good.png"], {})


@pytest.mark.parametrize("system", [DOS, NTFS])
def test_backslashes_of_older_tools_of_windows(read, one, system):
    files = [one(rb"my data\cat\one.png", system=system), one(rb"..\evil.png", system=system)]
    names, refused = read(*files)
    assert names == ["good.png", "my data/cat/one.png"]
    assert list(refused) == ["../evil.png"]
    assert "leads out" in refused["../evil.png"]


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"flags": 1}, "is encrypted"),
        ({"flags": 1 << 6}, "is encrypted"),
        ({"flags": 1 << 13}, "is encrypted"),
        ({"flags": 1 << 5}, "uncommon way"),
        ({"attributes": 0o120777 << 16}, "is a link"),
        ({"large": True, "extra": struct.pack("<2HQ", 1, 8, 5)}, "size or place is missing"),
    ],
    ids=str,
)
def test_one_odd_file_is_refused_alone(read, one, odd, reason):
    names, refused = read(one(**odd), one(b"z.png"))
    assert names == ["good.png", "z.png"]
    assert reason in refused["one.png"]


@pytest.mark.parametrize("size", [0, 5, 300])
def test_folders_need_no_files_of_their_own(read, one, size):
    folders = [
        one(b"a/"),
        File(b"b", b"", attributes=0o040755 << 16),
        File(b"c", b"", system=DOS, attributes=0x10),
    ]
    names, refused = read(*folders, one(b"a/b/c/one.png"), comment=bytes(size))
    assert (names, refused) == (["a/b/c/one.png", "good.png"], {})


@pytest.mark.parametrize(
    "options",
    [
        {"prefix": b"#!/bin/sh\nexit\n"},
        {"prefix": b"MZ" + bytes(5000), "adjusted": True},
        {"comment": b"made by hand"},
        {"comment": b"PK\5\6" + b"x" * 40},
        {"comment": b"PK\5\6" + struct.pack("<4H2LH", 0, 0, 1, 1, 46, 0, 0)},
        {"zip64": True},
        {"zip64": True, "prefix": b"x" * 99},
        {"zip64": True, "prefix": b"x" * 99, "adjusted": True, "comment": b"y"},
        {"count": 0},
        {"count": 77},
    ],
    ids=str,
)
def test_what_stands_around(read, one, options):
    assert read(one(), **options) == (["good.png", "one.png"], {})


def test_what_follows_the_end(tmp_path, one, image_bytes):
    path = tmp_path / "x.zip"
    path.write_bytes(packed([one()]) + b"\r\n")
    with module.archive(path) as found:
        assert [entry.name for entry in found.entries] == ["one.png"]


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_every_method_of_pythons_writer(tmp_path, image_bytes, method):
    path, data = tmp_path / "x.zip", image_bytes(3, side=200)
    with zipfile.ZipFile(path, "w", method) as target:
        target.writestr("a.png", data)
        target.writestr("bomb.png", bytes(3 * 2**20))
        target.writestr("empty.png", b"")
    with module.archive(path) as found:
        members = {member.name: member for member in found.entries}
        assert members["a.png"]._bytes() == data
        with pytest.raises(UnreadableImageError, match="is empty"):
            members["empty.png"].image(Frame(8, 8))
        refused = {refusal.name: refusal.reason for refusal in found.refused}
    packs = method != zipfile.ZIP_STORED
    assert ("bomb.png" in refused) is packs
    assert not packs or "decompression bomb" in refused["bomb.png"]


def test_archives_of_pythons_writer_are_read_as_python_reads_them(tmp_path, image_bytes):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in ("é.png", "東京/🗼.png", "a b/c.png", "x" * 200 + ".png"):
            target.writestr(name, image_bytes(len(name)))
    with zipfile.ZipFile(path) as theirs, module.archive(path) as ours:
        assert [entry.name for entry in ours.entries] == sorted(theirs.namelist())
        for entry in ours.entries:
            assert entry._bytes() == theirs.read(entry.name)
            info = theirs.getinfo(entry.name)
            assert entry.digest() == f"{info.CRC:08x}-{info.file_size}"


def test_nothing_that_is_mutated_is_a_traceback(tmp_path, one):
    path = tmp_path / "x.zip"
    files = [one(), one(b"cat/two.png", large=True), one(b"3.png", descriptor=True, system=DOS)]
    original = packed(files, zip64=True, comment=b"said")
    directory = original.index(b"PK\1\2")
    chance = random.Random(0)
    for _ in range(2000):
        data = bytearray(original)
        for _ in range(chance.randint(1, 4)):
            first = directory if chance.random() < 0.8 else 0
            at = chance.randrange(first, len(data))
            data[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        if chance.random() < 0.2:
            del data[chance.randrange(len(data)) :]
        path.write_bytes(data)
        try:
            with module.archive(path) as found:
                for entry in found.entries:
                    with suppress(UnreadableImageError):
                        entry.image(Frame(8, 8))
        except BadArchiveError:
            continue


def test_an_archive_that_may_not_be_read(tmp_path, monkeypatch):
    def refuse(self, mode="r"):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "x.zip").touch()
    monkeypatch.setattr(type(tmp_path), "open", refuse)
    with (
        pytest.raises(BadArchiveError, match="permission is denied"),
        module.archive(tmp_path / "x.zip"),
    ):
        pass
