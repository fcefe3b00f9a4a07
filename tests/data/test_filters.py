"""What is left out of a scraped folder: long images, small ones, and near-duplicates."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from ganvas.data import DataSettings, prepare
from ganvas.data.distinct import Known, thumbnail

PAINTING = "src/ganvas/assets/van_gogh_night_cafe.jpg"


@pytest.fixture
def prepared(tmp_path, returned):
    """The images of a folder, and the reasons for those that are left out."""

    def work(folder, **settings):
        found = returned(prepare(folder, DataSettings(**settings), cache=tmp_path / "cache"))
        return found, {one.name: one.reason for one in found.refused}

    return work


def picture(seed, width=64, height=64):
    """A smooth picture that no other seed resembles."""
    small = np.random.default_rng(seed).integers(0, 255, (5, 5, 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def test_images_that_are_too_long_are_left_out_and_named(tmp_path, prepared):
    folder = tmp_path / "art"
    folder.mkdir()
    for name, size in {"wide": (300, 100), "tall": (100, 201), "near": (100, 199)}.items():
        picture(1, *size).save(folder / f"{name}.png")
    found, refused = prepared(folder, size="16", max_aspect=2)
    assert found.usable == 1
    assert refused == {
        "wide.png": "is left out by --max-aspect 2 (300x100 pixels)",
        "tall.png": "is left out by --max-aspect 2 (100x201 pixels)",
    }


def test_images_smaller_than_the_size_are_left_out_as_they_stand(tmp_path, prepared):
    folder = tmp_path / "art"
    folder.mkdir()
    picture(1, 31, 64).save(folder / "narrow.png")
    picture(2, 32, 48).save(folder / "enough.png")
    turned = picture(3, 48, 32)  # 32 wide and 48 high, once it is upright
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(folder / "turned.jpg", exif=exif)
    found, refused = prepared(folder, size="48x32", ignore_smaller=True)
    assert found.usable == 2
    assert refused == {"narrow.png": "is left out by --ignore-smaller (31x64 pixels)"}


def test_near_duplicates_are_left_out_and_named(tmp_path, prepared):
    folder = tmp_path / "art"
    folder.mkdir()
    original = picture(1, 400, 300)
    original.save(folder / "a.png")
    original.save(folder / "b.jpg", quality=40)
    original.resize((133, 100), Image.Resampling.LANCZOS).save(folder / "c.png")
    ImageEnhance.Brightness(original).enhance(1.03).save(folder / "d.png")
    original.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "e.png")
    for seed in range(2, 12):
        picture(seed).save(folder / f"other{seed}.png")
    found, refused = prepared(folder, size="32", distinct=True)
    same = "is nearly the same as a.png (--distinct)"
    assert refused == {"b.jpg": same, "c.png": same, "d.png": same}
    assert found.usable == 12
    again, refused = prepared(folder, size="32", distinct=True)
    assert len(refused) == 3
    assert again.key == found.key
    assert not np.shares_memory(again.batch(np.arange(2)), found.batch(np.arange(2)))


def test_a_small_difference_is_none_of_compression(emoji_faces):
    smiling, open_mouthed = emoji_faces
    known = Known()
    assert known.add("one", smiling) is None
    assert known.add("other", open_mouthed) is None
    assert known.add("again", smiling) == "one"


@pytest.fixture
def emoji_faces():
    """Two faces that differ in the mouth alone."""
    face = np.full((64, 64, 3), 255, np.uint8)
    y, x = np.mgrid[:64, :64]
    face[(y - 32) ** 2 + (x - 32) ** 2 < 900] = (255, 200, 0)
    other = face.copy()
    face[44:48, 22:42] = 0
    other[40:52, 26:38] = 0
    return face, other


@pytest.mark.parametrize(("height", "width", "channels"), [(7, 5, 1), (16, 16, 3), (33, 90, 4)])
def test_thumbnails_are_means_of_cells(height, width, channels):
    image = np.random.default_rng(0).integers(0, 255, (height, width, channels), np.uint8)
    found = thumbnail(image, 4).reshape(min(4, height), min(4, width), channels)
    rows = np.array_split(np.arange(height), 4)
    top = image[
        : np.linspace(0, height, 5).astype(int)[1], : np.linspace(0, width, 5).astype(int)[1]
    ]
    assert len(rows) == 4
    assert np.abs(found[0, 0] - top.reshape(-1, channels).mean(0)).max() <= 0.5


def test_keys_of_runs_stay_what_they_were(tmp_path, prepared):
    folder = tmp_path / "art"
    folder.mkdir()
    picture(1).save(folder / "a.png")
    keys = {
        prepared(folder, size="16", **settings)[0].key
        for settings in ({}, {"distinct": True}, {"max_aspect": 3}, {"ignore_smaller": True})
    }
    assert len(keys) == 4
    shutil.rmtree(tmp_path / "cache")
    data = io.BytesIO()
    picture(1).save(data, "PNG")
    assert prepared(folder, size="16")[0].key in keys
