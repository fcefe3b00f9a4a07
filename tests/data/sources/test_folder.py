"""Folders: what is found, in which order, and what is refused."""

import json
import os
import socket
import struct
import unicodedata
from pathlib import Path

import pytest

from ganvas.data import NoImagesError, report
from ganvas.data.sources.entry import key_name, plain_name
from ganvas.data.sources.folder import folder

# One pixel of 24 bits.
BITMAP = struct.pack("<2sLHHL", b"BM", 58, 0, 0, 54) + struct.pack(
    "<LllHHLLllLL", 40, 1, 1, 1, 24, 0, 4, 0, 0, 0, 0
)


def test_order_depends_on_names_only(root, prepared, save, monkeypatch):
    names = ["b/1.png", "B.png", "a.png", "ä.png", "a/z.png", "b.png", "z/y/x.PNG"]
    save(root, names)
    first, _ = prepared(root)
    assert list(first.names) == sorted(names)
    listdir = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: listdir(path)[::-1])
    again, _ = prepared(root)
    assert again.names == first.names
    assert again.key == first.key


def test_composed_and_decomposed_accents_are_the_same_name(tmp_path, prepared, save):
    for form in ("NFC", "NFD"):
        (tmp_path / form).mkdir()
        save(tmp_path / form, [unicodedata.normalize(form, name) for name in ("é.png", "f.png")])
    composed, decomposed = (prepared(tmp_path / form)[0] for form in ("NFC", "NFD"))
    assert composed.names == decomposed.names
    assert composed.key == decomposed.key


def test_strange_names(root, prepared, save):
    names = ["東京 🗼.png", "x" * 251 + ".png", "-rf.png", "no ending", "[0].png", "a%20b.png"]
    save(root, names)
    assert sorted(prepared(root)[0].names) == sorted(names)


def test_names_that_would_move_the_cursor(root, prepared, save, refusals, run):
    save(root, ["ok.png", "new\nline.png", "\x1b[2J.png", "\u202egnp.exe.png"])
    (root / "bad\r\x1b]0;.png").write_bytes(b"no")
    images, _ = prepared(root)
    assert set(images.names) == {
        "ok.png",
        "new\\x0aline.png",
        "\\x1b[2J.png",
        "\\u202egnp.exe.png",
    }
    assert list(refusals(images)) == ["bad\\x0d\\x1b]0;.png"]
    assert len(prepared(root, only="new*line.png")[0]) == 1
    folder = root.rename(root.with_name("a\x1b[2J\nb"))
    for options in ((), ("--json",)):
        status, out, err = run("data", folder, "--size", 8, *options)
        assert status == 0
        assert not set(out + err) & {"\x1b", "\r", "\u202e"}
    assert json.loads(out)["source"] == str(folder)
    with pytest.raises(NoImagesError, match=r"no image of .*\\x1b.* has a name like '\\x07'"):
        prepared(folder, only="\x07")


@pytest.mark.skipif(os.name == "nt", reason="every Windows name is Unicode")
def test_names_that_are_no_text(root, prepared, image_bytes, run):
    folder = root / os.fsdecode(b"\xff\xfe")
    folder.mkdir()
    names = [b"caf\xe9.png", b"\xff.png", b"\xfe.png"]
    for value, name in enumerate(names):
        (folder / os.fsdecode(name)).write_bytes(image_bytes(value))
    (folder / os.fsdecode(b"\xfd.png")).write_bytes(b"no")
    images, _ = prepared(folder)
    assert sorted(images.names) == [r"\xfe.png", r"\xff.png", r"caf\xe9.png"]
    assert [refusal.name for refusal in images.refused] == [r"\xfd.png"]
    assert prepared(root)[0].names[0].startswith(r"\xff\xfe/")
    again, events = prepared(folder)
    assert events[-1].from_cache
    (folder / os.fsdecode(b"\xfe.png")).write_bytes(image_bytes(9))
    changed, _ = prepared(folder)  # of several that are written alike once bytes are replaced
    assert changed.key != again.key
    told = json.dumps(report(images).as_json(), ensure_ascii=False).encode()
    assert json.loads(told)["refused"][0]["name"] == r"\xfd.png"
    status, out, _ = run("data", folder, "--size", 8, "--json")
    assert status == 0
    assert json.loads(out)["usable"] == 3


@pytest.mark.parametrize(
    ("name", "shown", "in_key"),
    [
        ("a\udce9", r"a\xe9", "a\ufffd"),
        ("e\u0301\n", r"é\x0a", "é\n"),
        ("\ud800", r"\ud800", "\ufffd"),
        ("東京/a b.png", "東京/a b.png", "東京/a b.png"),
    ],
)
def test_names_as_they_are_shown_and_as_they_enter_keys(name, shown, in_key):
    assert plain_name(name) == shown
    assert key_name(name) == in_key


def test_the_key_is_that_of_the_first_ganvas(root, prepared):
    for name in ("a.png", "e\u0301.png", "b\n.png", "sub/x.png"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(BITMAP + bytes([len(name), 0, 0, 0]))
    assert prepared(root, channels="3")[0].key == "6871185e53d8fd84ee05289845ceb84c"


def test_composed_and_decomposed_names_in_one_folder(root, prepared, image_bytes):
    for value, form in enumerate(("NFC", "NFD")):
        path = root / unicodedata.normalize(form, "é.png")
        path.write_bytes(image_bytes(value))
    if len(list(root.iterdir())) < 2:
        pytest.skip("this file system takes both for one")
    first, _ = prepared(root)
    assert first.names == ("é.png", "é.png")
    assert prepared(root)[1][-1].from_cache
    path.write_bytes(image_bytes(7))
    assert prepared(root)[0].key != first.key


def test_clutter_is_no_refusal(root, prepared, save):
    clutter = [".hidden.png", "._a.png", "Thumbs.db", "desktop.ini", "__MACOSX/a.png", ".git/x.png"]
    save(root, ["a.png", *clutter])
    images, _ = prepared(root)
    assert images.names == ("a.png",)
    assert images.refused == ()


def test_everything_else_is_refused_with_a_reason(root, prepared, save, image_bytes, refusals):
    save(root, ["good.png", "holiday.mp4", "notes.txt", "labels.json", "old.zip"])
    (root / "empty.jpg").touch()
    (root / "text.png").write_text("hello")
    (root / "half.png").write_bytes(image_bytes(side=64)[:2000])
    (root / "jpeg.png").write_bytes(image_bytes(kind="JPEG"))
    (root / "gone.png").symlink_to(root / "nowhere")
    (root / "me.png").symlink_to(root / "me.png")
    os.mkfifo(root / "pipe.png")
    images, _ = prepared(root)
    assert images.names == ("good.png", "jpeg.png")
    assert refusals(images) == {
        "empty.jpg": "is empty (0 bytes)",
        "gone.png": "is a broken link",
        "half.png": "is truncated",
        "holiday.mp4": "is not an image (.mp4: a film)",
        "labels.json": "is not an image (.json: text)",
        "me.png": "is a broken link",
        "notes.txt": "is not an image (.txt: text)",
        "old.zip": "is not an image (.zip: an archive, unpack it first)",
        "pipe.png": "is not a file but a pipe, a socket or a device",
        "text.png": "is not an image that can be read (looks like text)",
    }
    assert list(refusals(images)) == sorted(refusals(images))


def test_sockets(root, prepared, save, refusals, monkeypatch):
    save(root, ["a.png"])
    monkeypatch.chdir(root)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as plug:
        plug.bind("plug.png")
        assert "a socket" in refusals(prepared(root)[0])["plug.png"]


def test_files_that_may_not_be_read(root, prepared, save, refusals, monkeypatch):
    save(root, ["a.png", "secret.png", "closed/b.png"])
    opened, listed = Path.open, os.listdir

    # root may read everything, so the system's answer is played
    def refuse_file(path, mode="r"):
        if path.name == "secret.png":
            raise PermissionError(13, "Permission denied")
        return opened(path, mode)

    def refuse_folder(path):
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(Path, "open", refuse_file)
    monkeypatch.setattr(os, "listdir", refuse_folder)
    images, _ = prepared(root)
    assert images.names == ("a.png",)
    reason = "cannot be opened (Permission denied)"
    assert refusals(images) == {"closed": reason, "secret.png": reason}
    monkeypatch.undo()
    monkeypatch.setenv("GANVAS_CACHE", str(root.parent / "cache"))
    assert len(prepared(root)[0]) == 3  # what can be read later is used later


def test_links_are_followed_once(root, tmp_path, prepared, save, refusals):
    save(root, ["album/a.png", "album/deep/b.png"])
    save(tmp_path, ["elsewhere/c.png"])
    (root / "album" / "loop").symlink_to(root)
    (root / "above").symlink_to(tmp_path)
    (root / "aaa").symlink_to(root / "album")
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    (root / "file.png").symlink_to(root / "album" / "a.png")
    images, _ = prepared(root)
    assert images.names == ("album/a.png", "album/deep/b.png", "file.png", "linked/c.png")
    assert set(refusals(images)) == {"album/loop", "above", "aaa"}


def test_depth_has_no_limit(tmp_path, save):
    deep = tmp_path.joinpath(*["d"] * 150)
    save(deep, ["a.png"])
    with folder(tmp_path) as found:
        assert [entry.name for entry in found.entries] == ["d/" * 150 + "a.png"]


def test_no_images(root, prepared, save):
    with pytest.raises(NoImagesError, match=r"there are no images in .*photos: it is empty"):
        prepared(root)
    for name in "abcde":
        (root / f"{name}.txt").touch()
    with pytest.raises(NoImagesError, match=r"photos: a\.txt is not .*, and 2 more files"):
        prepared(root)


def test_a_run_beside_its_images_is_not_learnt_from(root, prepared, save):
    save(root, ["a.png", "run/samples/b.png", "run/checkpoints/c.png"])
    for name in ("run.yaml", "metrics.jsonl"):
        (root / "run" / name).touch()
    images, _ = prepared(root)
    assert images.names == ("a.png",)
    assert [refusal.name for refusal in images.refused] == ["run"]
