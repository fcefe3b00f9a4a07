"""The images that come with ganvas."""

import numpy as np
import pytest

from ganvas.data import DataSettings, key_of
from ganvas.data.sources.builtin import SOURCES
from ganvas.imaging import Frame
from ganvas.runtime.assets import ASSETS


@pytest.fixture(scope="module")
def originals():
    with np.load(ASSETS / "digits.npz") as arrays:
        return arrays["images"]


@pytest.fixture
def digit():
    with SOURCES["digits"].open() as found:
        return found.entries[3]


def test_digits_get_a_border_instead_of_a_blur(digit, originals):
    pixels = digit.image(Frame(32, 32, 1))
    assert pixels.shape == (32, 32, 1)
    assert np.array_equal(pixels[2:30, 2:30, 0], originals[3])
    assert pixels.sum() == originals[3].sum()


def test_digits_at_their_own_size(digit, originals):
    assert np.array_equal(digit.image(Frame(28, 28, 1))[..., 0], originals[3])


def test_digits_at_other_sizes(digit):
    assert digit.image(Frame(64, 48, 3)).shape == (64, 48, 3)
    assert digit.image(Frame(16, 16, 1)).max() > 100


def test_usual_sizes():
    with SOURCES["digits"].open() as digits, SOURCES["emoji"].open() as emoji:
        assert (digits.size, emoji.size) == ("32", "64")
        assert (len(digits.entries), len(emoji.entries)) == (10_000, 3_391)
        assert emoji.refused == ()


def test_emoji_lie_on_the_background_or_keep_transparency():
    with SOURCES["emoji"].open() as emoji:
        entry = emoji.entries[1000]
        assert (entry.image(Frame(64, 64, background="red"))[0, 0] == (255, 0, 0)).all()
        assert (entry.image(Frame(64, 64, 4))[0, 0] == 0).all()


@pytest.mark.parametrize(
    ("name", "channels", "key"),
    [
        ("digits", "1", "f59cbed72b4a76078ddba39dfd39821f"),
        ("emoji", "3", "5adfa8c78459e5f639e31f57ca7f5ecc"),
    ],
)
def test_their_keys_are_those_of_the_first_ganvas(name, channels, key, finish):
    assert finish(key_of(name, DataSettings(channels=channels)))[0] == key


def test_where_the_images_come_from_is_told():
    told = (ASSETS / "PROVENANCE.md").read_text("utf-8")
    assert "`digits.npz`" in told
    assert "`emoji.zip`" in told
