"""Folders: what is found, in which order, and what is refused."""

import os
import socket
import unicodedata
from pathlib import Path

import pytest

from ganvas.data import NoPicturesError
from ganvas.data.entry import plain_name
from ganvas.data.folder import folder


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
    names = ["東京 🗼.png", "x" * 251 + ".png", "with\nnewline.png", "-rf.png", "no ending"]
    save(root, names)
    assert sorted(prepared(root)[0].names) == sorted(names)


@pytest.mark.skipif(os.name == "nt", reason="every Windows name is Unicode")
def test_names_that_are_no_text(root, prepared, picture_bytes):
    (root / os.fsdecode(b"caf\xe9.png")).write_bytes(picture_bytes())
    pictures, _ = prepared(root)
    assert pictures.names == ("caf\ufffd.png",)
    assert plain_name("a\udce9") == "a\ufffd"


def test_clutter_is_no_refusal(root, prepared, save):
    clutter = [".hidden.png", "._a.png", "Thumbs.db", "desktop.ini", "__MACOSX/a.png", ".git/x.png"]
    save(root, ["a.png", *clutter])
    pictures, _ = prepared(root)
    assert pictures.names == ("a.png",)
    assert pictures.refused == ()


def test_everything_else_is_refused_with_a_reason(root, prepared, save, picture_bytes, refusals):
    save(root, ["good.png", "holiday.mp4", "notes.txt", "labels.json", "old.zip"])
    (root / "empty.jpg").touch()
    (root / "text.png").write_text("hello")
    (root / "half.png").write_bytes(picture_bytes(side=64)[:2000])
    (root / "jpeg.png").write_bytes(picture_bytes(kind="JPEG"))
    (root / "gone.png").symlink_to(root / "nowhere")
    (root / "me.png").symlink_to(root / "me.png")
    os.mkfifo(root / "pipe.png")
    pictures, _ = prepared(root)
    assert pictures.names == ("good.png", "jpeg.png")
    assert refusals(pictures) == {
        "empty.jpg": "is empty (0 bytes)",
        "gone.png": "is a broken link",
        "half.png": "is truncated",
        "holiday.mp4": "is not a picture (.mp4: a film)",
        "labels.json": "is not a picture (.json: text)",
        "me.png": "is a broken link",
        "notes.txt": "is not a picture (.txt: text)",
        "old.zip": "is not a picture (.zip: an archive)",
        "pipe.png": "is not a file but a pipe, a socket or a device",
        "text.png": "is not a picture that can be read (looks like text)",
    }
    assert list(refusals(pictures)) == sorted(refusals(pictures))


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
    pictures, _ = prepared(root)
    assert pictures.names == ("a.png",)
    reason = "cannot be opened (Permission denied)"
    assert refusals(pictures) == {"closed": reason, "secret.png": reason}
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
    pictures, _ = prepared(root)
    assert pictures.names == ("album/a.png", "album/deep/b.png", "file.png", "linked/c.png")
    assert set(refusals(pictures)) == {"album/loop", "above", "aaa"}


def test_depth_has_no_limit(tmp_path, save):
    deep = tmp_path.joinpath(*["d"] * 150)
    save(deep, ["a.png"])
    with folder(tmp_path) as found:
        assert [entry.name for entry in found.entries] == ["d/" * 150 + "a.png"]


def test_no_pictures(root, prepared, save):
    with pytest.raises(NoPicturesError, match=r"there are no pictures in .*photos: it is empty"):
        prepared(root)
    for name in "abcde":
        (root / f"{name}.txt").touch()
    with pytest.raises(NoPicturesError, match=r"photos: a\.txt is not .*, and 2 more files"):
        prepared(root)


def test_a_run_beside_its_pictures_is_not_learnt_from(root, prepared, save):
    save(root, ["a.png", "run/samples/b.png", "run/checkpoints/c.png"])
    for name in ("run.yaml", "metrics.jsonl"):
        (root / "run" / name).touch()
    pictures, _ = prepared(root)
    assert pictures.names == ("a.png",)
    assert [refusal.name for refusal in pictures.refused] == ["run"]
