"""Files that are there whole or not at all, and the system's errors as sentences."""

import errno
import os
from pathlib import Path

import pytest

from ganvas.errors import GanvasError
from ganvas.runtime import atomic
from ganvas.runtime.atomic import (
    check_file,
    check_folder,
    make_folder,
    replacing,
    sweep,
    write_text,
)
from ganvas.runtime.system import PlaceError, reason, system_errors


def test_what_is_written_replaces_what_was_there(tmp_path):
    path = tmp_path / "a.txt"
    for text in ("one", "two ಕನ್ನಡ"):
        write_text(path, text)
        assert path.read_text("utf-8") == text
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_name_as_long_as_names_can_be(tmp_path):
    path = tmp_path / ("a" * 251 + ".txt")
    write_text(path, "whole")
    assert path.read_text() == "whole"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG])
@pytest.mark.parametrize("moment", ["write", "fsync", "replace"])
def test_whatever_fails_the_old_file_stays_and_nothing_beside_it(
    tmp_path, monkeypatch, number, moment
):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fails(*_):
        raise OSError(number, os.strerror(number))

    target = {"write": (Path, "write_bytes"), "fsync": (os, "fsync"), "replace": (Path, "replace")}
    monkeypatch.setattr(*target[moment], fails)
    with pytest.raises(PlaceError, match=f"^{path} cannot be used: ") as caught:
        write_text(path, "new")
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_an_error_of_whoever_writes_is_not_the_systems(tmp_path):
    def half(temporary):
        temporary.write_bytes(b"half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "a") as temporary:
        half(temporary)
    assert os.listdir(tmp_path) == []


def test_places_are_checked_before_the_work(tmp_path):
    (tmp_path / "file").touch()
    check_file(tmp_path / "new.png")
    check_file(tmp_path / "file")
    check_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    with pytest.raises(PlaceError, match="is a folder; name a file"):
        check_file(tmp_path / "a")
    with pytest.raises(PlaceError, match="there is no folder"):
        check_file(tmp_path / "missing" / "new.png")
    for check in (check_folder, make_folder):
        for place in (tmp_path / "file", tmp_path / "file" / "below"):
            with pytest.raises(PlaceError, match="a file is in the way"):
                check(place)
    with pytest.raises(PlaceError, match="too long"):
        check_folder(tmp_path / ("a" * 300))
    assert sorted(os.listdir(tmp_path)) == ["a", "file"]


def test_a_place_that_may_not_be_written(tmp_path, monkeypatch):
    def refused(path, *_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "touch", refused)
    with pytest.raises(PlaceError, match=f"^{tmp_path} cannot be used: permission is denied"):
        check_folder(tmp_path)
    with pytest.raises(PlaceError, match=r"/x\.png cannot be used: permission is denied"):
        check_file(tmp_path / "x.png")


def test_a_folder_that_was_made_for_nothing_is_removed(tmp_path, monkeypatch):
    def full(path, *_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "touch", full)
    (tmp_path / "there").mkdir()
    for place in ("there", "there/a/b", "c"):
        with pytest.raises(PlaceError, match="the disk is full"):
            check_folder(tmp_path / place)
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


def test_every_error_of_the_system_is_one_sentence_about_its_place(tmp_path):
    for number in errno.errorcode:
        fault = OSError(number, os.strerror(number), str(tmp_path / "x"))
        with pytest.raises(PlaceError) as caught, system_errors():
            raise fault
        said = str(caught.value)
        assert said.startswith(f"{tmp_path / 'x'} cannot be used: ")
        assert said.endswith(".")
        assert "\n" not in said
        assert reason(fault)


def test_errors_for_people_pass_the_boundary_as_they_are():
    with pytest.raises(GanvasError, match=r"^mine$"), system_errors(Path("x")):
        raise GanvasError("mine")
    with pytest.raises(KeyError), system_errors(Path("x")):
        raise KeyError("a fault in the program is no error of the system")


def test_a_nul_is_an_error_of_the_place():
    with pytest.raises(PlaceError, match="NUL"):
        atomic.check_folder(Path("a\0b"))


def test_what_a_killed_process_left_is_swept_and_nothing_else(tmp_path):
    names = [f".{'0123456789abcdef'}.tmp", ".mine.tmp", "a.tmp", ".0123456789abcdeg.tmp"]
    for name in names:
        (tmp_path / name).touch()
    sweep(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted(names)
    sweep(tmp_path, 0)
    assert sorted(os.listdir(tmp_path)) == sorted(names[1:])
    sweep(tmp_path / "nowhere")
