"""From what the user types to a source."""

import pytest

import ganvas
from ganvas.data import BUILTIN, DataSettings, prepare
from ganvas.data.sources.find import find, locate, stored
from ganvas.errors import GanvasError
from ganvas.events import Notice
from ganvas.registry import UnknownNameError
from ganvas.runtime.system import PlaceError
from ganvas.runtime.validation import ArgumentError


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
        ("gone.zip", "no folder, .zip archive or built-in set of images called 'gone.zip'"),
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


# ---- what a person typed


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["digits", "emoji"])
def test_a_folder_that_is_there_wins(here, save, name):
    assert locate(name) == name
    (here / name).mkdir()
    assert locate(name) == name, "it holds nothing"
    (here / name / ".DS_Store").touch()
    assert locate(name) == name
    save(here, [f"{name}/a.png"])
    assert locate(name) == locate(f"./{name}") == str(here / name)
    assert locate(f"builtin:{name}") == name


@pytest.mark.parametrize("beside", ["metrics.jsonl", "checkpoints", "search", "race"])
def test_the_folder_of_a_run_is_no_folder_of_images(here, save, beside):
    save(here, ["digits/samples/a.png"])
    (here / "digits" / "run.yaml").touch()
    assert locate("digits") == str(here / "digits"), "a file of somebody's, beside images"
    (here / "digits" / beside).mkdir()
    assert locate("digits") == "digits"


def test_a_file_called_like_a_builtin_set(here):
    """A path that exists wins; what else the name could mean is said."""
    (here / "emoji").touch()
    with pytest.raises(UnknownNameError, match="builtin:emoji comes with ganvas"):
        locate("emoji")
    assert locate("builtin:emoji") == "emoji"


def test_what_a_name_means_is_said_where_a_folder_has_it_too(here, save, run):
    said = "Using the built-in digits; write ./digits for the folder of that name."
    train = "--out", "run", "--model", "fc", "--width", 8, "--images", 8
    assert said not in run("data", "digits")[2]
    (here / "digits").mkdir()
    assert said in run("data", "digits")[2].splitlines()
    assert said not in run("data", "builtin:digits")[2]
    assert said in "".join(run("train", "digits", *train)[1:])
    assert said not in "".join(run("train", "--resume", "--out", "run", "--images", 16)[1:])
    events = ganvas.evaluate("run", against="digits", count=40, features="digits")
    assert Notice(said) in events  # and no further: a score would take long
    save(here, ["digits/a.png"])
    assert said not in run("data", "digits")[2]


@pytest.mark.parametrize("name", BUILTIN)
def test_a_bare_name_in_a_file_of_settings_is_a_built_in_set(here, save, run, name):
    save(here, [f"{name}/a.png"])
    assert stored(name) == stored(f"builtin:{name}") == name
    assert stored(f"./{name}") == str(here / name)
    assert stored("builtin:photos") == str(here / "builtin:photos")
    (here / "asked.yaml").write_text(f"source: builtin:{name}\nmodel: fc\ndata: {{size: 8}}\n")
    status, said, _ = run("train", "--config", "asked.yaml", "--images", 8, "--dry-run")
    assert status == 0
    assert f"images from {name}" in " ".join(said.split())


def test_what_was_located_means_the_same_elsewhere(here, save, monkeypatch):
    save(here, ["digits/a.png", "photos/b.png"])
    for typed, count in (("digits", 1), ("photos", 1), ("builtin:digits", 10_000)):
        meant = locate(typed)
        monkeypatch.chdir("/")
        with find(meant) as found:
            assert len(found.entries) == count
        monkeypatch.chdir(here)
    with find("digits") as found:  # as run.yaml says it, whatever lies there
        assert len(found.entries) == 10_000
    with find("builtin:emoji") as found:
        assert len(found.entries) == 3_391


def test_the_command_and_the_api_mean_it_too(here, save, run):
    save(here, ["emoji/a.png", "emoji/b.png"])
    status, out, _ = run("data", "emoji", "--size", 8)
    assert status == 0
    assert out.startswith(f"2 usable images in {here / 'emoji'}")
    assert ganvas.images("emoji", size="8").shape == (2, 8, 8, 3)


@pytest.mark.parametrize("wrong", [None, b"digits", "", 5, [], "a\0b"])
def test_no_source_at_all(wrong):
    with pytest.raises(GanvasError) as raised:
        ganvas.images(source=wrong)
    assert len(str(raised.value)) < 300
    assert "source" in str(raised.value)
    if wrong != "a\0b":
        with pytest.raises(ArgumentError, match=r"^source must be a folder"):
            locate(wrong)


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("~nobody-of-that-name/pics", PlaceError),
        ("x" * 5000, PlaceError),
        ("new\nline", UnknownNameError),
        ("nul\0", UnknownNameError),
    ],
)
def test_names_that_lead_nowhere(here, typed, kind, run):
    with pytest.raises(kind) as raised:
        locate(typed)
    assert "\n" not in str(raised.value)
    status, _, err = run("data", typed)
    assert status == 1
    assert err.count("\n") == 1


def test_a_folder_that_nobody_may_look_into(here, monkeypatch):
    import pathlib

    def refuse(self):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(pathlib.Path, "is_dir", refuse)
    with pytest.raises(PlaceError, match="permission is denied"):
        locate("secret/photos")
