"""Zip archives: read in place, and every known attack is refused with its reason."""

import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest

from ganvas.data import BadArchiveError
from ganvas.data.sources import archive as module
from ganvas.data.sources.entry import Found
from ganvas.imaging import Frame, UnreadableImageError


def refused_by(found: Found):
    return {refusal.name: refusal.reason for refusal in found.refused}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "images.zip"


@pytest.fixture
def make(path, image_bytes):
    """An archive of a good image and what else is given: names or ZipInfos, and contents."""

    def make(*files, method=zipfile.ZIP_STORED):
        with zipfile.ZipFile(path, "w", method) as target:
            target.writestr("good.png", image_bytes())
            for name, data in files:
                target.writestr(name, data)
        return path

    return make


def patched(path, start, change):
    data = bytearray(path.read_bytes())
    change(data, data.rindex(start))
    path.write_bytes(data)


def raw_name(name):
    info = zipfile.ZipInfo("x")
    info.filename = name  # past the corrections that ZipInfo makes
    return info


def test_images_are_sorted_and_read(path, root, save, prepared, image_bytes):
    names = ["z.png", "a/b.png", "ä.png"]
    save(root, names)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("a/", b"")
        for name in ["__MACOSX/._z.png", ".DS_Store", *names]:
            source = root / name
            target.writestr(name, source.read_bytes() if source.exists() else b"")
    packed, loose = prepared(path)[0], prepared(root)[0]
    assert packed.names == loose.names
    assert packed.refused == ()
    assert np.array_equal(packed.batch(range(3)), loose.batch(range(3)))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../evil.png", "leads out of the archive"),
        ("a/../../evil.png", "leads out of the archive"),
        ("/etc/evil.png", "absolute"),
        ("C:/evil.png", "absolute"),
        ("C:evil.png", "absolute"),
        ("a\\evil.png", "backslash"),
        ("evil.png\0.txt", "NUL"),
        ("inner.zip", "an archive"),
        ("inner.tar.gz", "an archive"),
        ("notes.txt", "is not an image"),
    ],
)
def test_names(make, name, reason, image_bytes):
    with module.archive(make((raw_name(name), image_bytes()))) as found:
        assert [entry.name for entry in found.entries] == ["good.png"]
        (refusal,) = found.refused
        assert reason in refusal.reason


def test_links_and_devices(make):
    files = []
    for name, kind in [("link.png", 0o120777), ("device.png", 0o020666), ("pipe.png", 0o010666)]:
        info = zipfile.ZipInfo(name)
        info.external_attr = kind << 16
        files.append((info, b"/etc/passwd"))
    with module.archive(make(*files)) as found:
        assert len(found.entries) == 1
        assert "is a link" in refused_by(found)["link.png"]
        assert "a device" in refused_by(found)["device.png"]
        assert "a pipe" in refused_by(found)["pipe.png"]


def test_encrypted(make):
    path = make(("secret.png", b"x" * 50))
    patched(path, b"PK\1\2", lambda data, at: data.__setitem__(at + 8, 1))
    with module.archive(path) as found:
        assert refused_by(found) == {"secret.png": "is encrypted"}


def test_uncommon_packing(make, image_bytes):
    path = make(("a.png", image_bytes()))
    patched(path, b"PK\1\2", lambda data, at: struct.pack_into("<H", data, at + 10, 9))
    with module.archive(path) as found:
        assert "uncommon way" in refused_by(found)["a.png"]


def test_bombs(make):
    files = [("bomb.png", bytes(3 * 2**20)), ("flat.png", bytes(2**19))]
    with module.archive(make(*files, method=zipfile.ZIP_DEFLATED)) as found:
        assert [entry.name for entry in found.entries] == ["flat.png", "good.png"]
        assert "bomb" in refused_by(found)["bomb.png"]


def test_declared_size_over_the_limit(make):
    path = make(("huge.png", b"x"))
    patched(path, b"PK\1\2", lambda data, at: struct.pack_into("<I", data, at + 24, 2**31))
    with module.archive(path) as found:
        assert "2147 MB, more than the limit" in refused_by(found)["huge.png"]


def test_a_lying_size_costs_no_memory(make, prepared, refusals):
    path = make(("liar.png", bytes(64 * 2**20)), method=zipfile.ZIP_DEFLATED)
    for start, offset in ((b"PK\1\2", 24), (b"PK\3\4", 22)):
        patched(path, start, lambda data, at, o=offset: struct.pack_into("<I", data, at + o, 1000))
    tracemalloc.start()
    images, _ = prepared(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "is damaged in the archive (Bad CRC-32" in refusals(images)["liar.png"]
    assert peak < 16 * 2**20


def test_too_little_data(make, prepared, refusals, image_bytes):
    path = make(("short.png", image_bytes()))
    for offset in (20, 24):
        patched(
            path, b"PK\1\2", lambda data, at, o=offset: struct.pack_into("<I", data, at + o, 9999)
        )
    assert "is damaged in the archive" in refusals(prepared(path)[0])["short.png"]


def test_a_wrong_checksum(make, prepared, refusals, image_bytes):
    path = make(("bad.png", image_bytes(1)))
    patched(path, b"IDAT", lambda data, at: data.__setitem__(at + 20, data[at + 20] ^ 1))
    assert "Bad CRC-32" in refusals(prepared(path)[0])["bad.png"]


def test_two_files_of_one_name(make, prepared, refusals, image_bytes):
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = make(("good.png", image_bytes(1)))
    images, _ = prepared(path)
    assert len(images) == 1
    assert "earlier file" in refusals(images)["good.png"]


def test_an_archive_called_image(make, path, prepared, refusals):
    inner = make().read_bytes()
    assert "a ZIP archive" in refusals(prepared(make(("x.png", inner)))[0])["x.png"]


@pytest.mark.parametrize("data", [b"", b"PK", b"nothing like it" * 10])
def test_broken_archives(path, data, prepared):
    path.write_bytes(data)
    with pytest.raises(BadArchiveError, match=r"images\.zip is not a readable \.zip archive"):
        prepared(path)


def test_a_truncated_archive(make, prepared, image_bytes):
    path = make(("b.png", image_bytes(side=64)))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(BadArchiveError):
        prepared(path)


def test_every_changed_byte_is_survived(make, image_bytes, prepared):
    path = make(("b.png", image_bytes(1)), method=zipfile.ZIP_DEFLATED)
    original = path.read_bytes()
    for at in range(0, len(original), 7):
        damaged = bytearray(original)
        damaged[at] ^= 0xFF
        path.write_bytes(damaged)
        try:
            with module.archive(path) as found:
                results = [_content(entry) for entry in found.entries]
        except BadArchiveError:
            continue
        assert len(results) + len(found.refused) <= 2


def _content(entry):
    try:
        return entry.image(Frame(8, 8))
    except UnreadableImageError as error:
        return str(error)


def test_the_key_follows_the_content(make, prepared, image_bytes):
    first = prepared(make(("b.png", image_bytes(1))))[0].key
    assert prepared(make(("b.png", image_bytes(1))))[0].key == first
    assert prepared(make(("b.png", image_bytes(2))))[0].key != first
    assert zlib.crc32(image_bytes(1)) != zlib.crc32(image_bytes(2))


def test_what_was_added_behind_an_archive_does_not_hide_it(tmp_path, image_bytes):
    path = tmp_path / "padded.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.png", image_bytes())
    for added in (bytes(70_000), b"x" * 500_000):
        padded = tmp_path / f"{len(added)}.zip"
        padded.write_bytes(path.read_bytes() + added)
        with module.archive(padded) as found:
            assert [entry.name for entry in found.entries] == ["a.png"]
