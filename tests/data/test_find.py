"""From what the user types to a source."""

import pytest

from ganvas.data import BUILTIN, DataSettings, prepare
from ganvas.data.find import find
from ganvas.registry import UnknownNameError


def test_builtin_sets_have_a_summary():
    assert list(BUILTIN) == ["digits", "emoji"]
    assert all(BUILTIN.values())


def test_a_folder_called_like_a_builtin_set(tmp_path, monkeypatch, save, prepared):
    save(tmp_path, ["digits/a.png"])
    monkeypatch.chdir(tmp_path)
    for source in ("./digits", "digits/"):
        assert prepared(source)[0].names == ("a.png",)
    with find("digits") as found:
        assert len(found.entries) == 10_000
    with find(tmp_path / "digits") as found:
        assert len(found.entries) == 1


def test_home(tmp_path, monkeypatch, save, prepared):
    save(tmp_path, ["photos/a.png"])
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert prepared("~/photos")[0].names == ("a.png",)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("digit", "called 'digit'; did you mean 'digits'. There are: digits, emoji"),
        ("/nowhere/at/all", "there is no folder, .zip archive or built-in set"),
        ("gone.zip", "no folder, .zip archive or built-in set of pictures called 'gone.zip'"),
        (__file__, "test_find.py' is neither a folder nor a .zip archive"),
    ],
)
def test_no_such_source(source, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnknownNameError, match=message):
        find(source)


def test_the_source_is_looked_up_when_asked_for():
    generator = prepare("nothing here", DataSettings())
    with pytest.raises(UnknownNameError):
        next(generator)
