"""Images as arrays: all of them, in [-1, 1], and those of some names alone."""

import numpy as np
import pytest
from PIL import Image

import ganvas
from ganvas.data import NoImagesError
from ganvas.data.arrays import Arrays, TooManyImagesError, as_floats
from ganvas.registry import UnknownNameError
from ganvas.runtime.assets import ASSETS
from ganvas.runtime.validation import SettingsError


@pytest.fixture
def folder(tmp_path):
    """Two cats and a dog, and a file that is no image."""
    for name, level in {"cats/a": 0, "cats/b": 255, "dogs/a": 51}.items():
        path = tmp_path / "source" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 10), (level, level // 3, 0)).save(path)
    (tmp_path / "source/cats/notes.txt").write_text("no image")
    return tmp_path / "source"


def test_all_images_in_the_order_of_names(folder):
    found = ganvas.images(folder, size="8x16")
    assert found.shape == (3, 8, 16, 3)
    assert found.dtype == np.float32
    reds = found[:, 4, 8, 0]
    assert reds == pytest.approx([-1, 1, 51 / 127.5 - 1])


def test_some_names_alone(folder):
    assert len(ganvas.images(folder, size="8", only="cats/*")) == 2
    assert len(ganvas.images(folder, size="8", only="*/a.png")) == 2
    with pytest.raises(NoImagesError, match=r"no image of .* 'birds/\*'; the first is .*cats/a"):
        ganvas.images(folder, size="8", only="birds/*")


def test_mirror_images_and_channels(folder):
    assert ganvas.images(folder, size="8", channels=1, mirror=True).shape == (6, 8, 8, 1)


def test_builtin_digits_of_one_kind():
    threes = ganvas.images("digits", size="28", only="3/*")
    assert threes.shape[1:] == (28, 28, 1)
    assert 900 < len(threes) < 1100
    with np.load(ASSETS / "digits.npz") as arrays:
        wanted = arrays["images"][arrays["labels"] == 3]
    assert np.array_equal(threes[..., 0], as_floats(wanted))


def test_mistakes_are_told(folder):
    with pytest.raises(SettingsError, match="no setting called 'sise'"):
        ganvas.images(folder, sise="8")
    with pytest.raises(UnknownNameError):
        ganvas.images("digist")


def test_arrays_keep_the_promises_of_images(folder):
    found = ganvas.images(folder, size="8")
    learnable = Arrays(found)
    assert learnable.shape == (3, 8, 8)
    assert len(learnable) == learnable.usable == 3
    assert as_floats(learnable.batch([2, 0])) == pytest.approx(found[[2, 0]], abs=1e-6)
    assert learnable.labels([0, 1]).shape == (2, 0)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"size": "x"}, "--size x"),
        ({"size": 10**12}, "--size 1000000000000"),
        ({"size": True}, "--size True"),
        ({"channels": 2}, "--channels 2"),
        ({"only": ""}, "--only"),
        ({"background": 5}, "--background 5"),
        ({"mirror": "perhaps"}, "--mirror perhaps"),
        ({"labels": "yes"}, "--labels yes"),
        ({"include_generated": []}, r"--include-generated \[\]"),
        ({"bakground": "red"}, "no setting called 'bakground'; did you mean 'background'"),
    ],
)
def test_options_that_cannot_be(folder, option, message):
    with pytest.raises(SettingsError, match=message):
        ganvas.images(folder, **option)


def test_more_than_memory_holds(folder, monkeypatch):
    monkeypatch.setattr("ganvas.data.arrays.available", lambda: 1000)
    with pytest.raises(TooManyImagesError, match=r"3 images of 8x8 need .* take a smaller size"):
        ganvas.images(folder, size="8")
