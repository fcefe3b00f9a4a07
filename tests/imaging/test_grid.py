"""Writing images, sheets and films."""

import numpy as np
import pytest
from PIL import Image

from ganvas.imaging.grid import grid
from ganvas.imaging.video import write_gif
from ganvas.imaging.write import write_png


def test_write_png(tmp_path):
    path = tmp_path / "a.png"
    for pixels in (np.full((4, 6, 1), 7, np.uint8), np.full((4, 6, 4), 7, np.uint8)):
        write_png(path, pixels, {"seed": "1", "Ort": "Köln 東京"})
        with Image.open(path) as image:
            assert image.text == {"seed": "1", "Ort": "Köln 東京"}
            assert np.array_equal(np.asarray(image).reshape(pixels.shape), pixels)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]


def test_a_failed_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.png"
    write_png(path, np.zeros((2, 2, 3), np.uint8), {})
    before = path.read_bytes()
    with pytest.raises(AttributeError):
        write_png(path, np.zeros((2, 2, 3), np.uint8), {"seed": 1})
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]


def test_write_gif(tmp_path):
    frames = np.stack([np.full((8, 8, 1), value, np.uint8) for value in (0, 128, 255)])
    write_gif(tmp_path / "a.gif", frames, 80)
    with Image.open(tmp_path / "a.gif") as film:
        assert film.n_frames == 3
        assert film.info["duration"] == 80
        assert film.info["loop"] == 0


def test_grid():
    images = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 6, 1), np.uint8)
    sheet = grid(images, columns=3, gap=1, background="red")
    assert sheet.shape == (2 * 5 + 1, 3 * 7 + 1, 3)
    assert sheet[1, 1].tolist() == [0, 0, 0]
    assert sheet[6, 8].tolist() == [4, 4, 4]
    assert sheet[0, 0].tolist() == sheet[6, 15].tolist() == [255, 0, 0]


def test_grid_shows_transparency():
    images = np.zeros((1, 16, 16, 4), np.uint8)
    images[0, :8] = (1, 2, 3, 255)
    sheet = grid(images, columns=1, gap=0)
    assert (sheet[:8] == (1, 2, 3)).all()
    assert len(np.unique(sheet[8:])) == 2
    assert sheet[8:].min() > 200
