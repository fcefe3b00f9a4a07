"""Grids of a run: told from whatever else lies in its folder, and made into a film."""

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from ganvas.errors import GanvasError
from ganvas.training.callbacks.samples import SampleWriter, grids, write_progress


def lay(folder, images, size=(30, 20), text="images", shade=0):
    """A grid as any version of ganvas has written it."""
    folder.mkdir(exist_ok=True)
    path, chunks = folder / f"{images:010d}.png", PngImagePlugin.PngInfo()
    chunks.add_text(text, str(images))
    Image.new("RGB", size, (shade, 0, 0)).save(path, pnginfo=chunks)
    return path


@pytest.fixture
def folder(tmp_path):
    for number in (1, 2, 3):
        lay(tmp_path / "samples", 100 * number, shade=60 * number)
    return tmp_path / "samples"


def names(folder):
    return [int(path.stem) for path in grids(folder)]


def test_what_a_run_writes_is_a_grid_of_it(begin, small, tmp_path):
    _, state = begin("fc", small("fc"))
    sample_writer = SampleWriter(tmp_path / "samples", 3)
    for images in (0, 8, 10**10):
        state.images = images
        sample_writer.write(state)
    assert names(tmp_path / "samples") == [0, 8, 10**10]
    with Image.open(tmp_path / "samples" / "0000000008.png") as sheet:
        assert sheet.info["images"] == "8"
        assert sheet.info["ganvas.generated"] == "sheet"


FOREIGN = {
    "._0000000300.png": b"of a Mac",
    "0000000250.png": b"",
    "0000000260.png": b"\x89PNG\r\n\x1a\n",
    "empty.png": b"",
    "0001.png": b"junk",
    "notes.txt": b"mine",
    "0000000300.png.tmp": b"",
    ".DS_Store": b"",
}


def test_foreign_and_damaged_files_are_none(folder, tmp_path):
    for name, data in FOREIGN.items():
        (folder / name).write_bytes(data)
    whole = (folder / "0000000300.png").read_bytes()
    (folder / "the best.png").write_bytes(whole)
    (folder / "0000000300 (1).png").write_bytes(whole)
    (folder / "0000000400.png").mkdir()
    (folder / "0000000500.png").symlink_to("nowhere")
    (folder / "0000000600.png").write_bytes(whole[: len(whole) // 2])
    flipped = bytearray(whole)
    flipped[-20] ^= 1
    (folder / "0000000700.png").write_bytes(flipped)
    lay(folder, 800, text="ganvas.seed")  # as ganvas sample writes them, of a long seed
    lay(folder, 900, text="ganvas.seed", size=(8, 8))
    Image.new("RGB", (30, 20)).save(folder / "0000001000.png", "JPEG")
    assert names(folder) == [100, 200, 300]
    assert write_progress(folder, tmp_path / "progress.gif")
    with Image.open(tmp_path / "progress.gif") as film:
        assert film.n_frames == 3
        assert film.size == (30, 20)


def test_grids_of_another_size_than_the_newest_are_left_out(folder, tmp_path):
    lay(folder, 50, size=(60, 40))
    assert names(folder) == [100, 200, 300]
    lay(folder, 400, size=(60, 40))
    assert names(folder) == [50, 400]
    assert write_progress(folder, tmp_path / "progress.gif")


def test_they_are_in_the_order_of_images_and_not_of_names(folder):
    lay(folder, 10**11)
    lay(folder, 9 * 10**9)
    assert names(folder) == [100, 200, 300, 9 * 10**9, 10**11]


@pytest.mark.parametrize("kind", ["nowhere", "file", "empty", "foreign"])
def test_without_grids_there_is_no_film(kind, tmp_path):
    folder = tmp_path / "samples"
    if kind == "file":
        folder.write_text("")
    elif kind != "nowhere":
        folder.mkdir()
    if kind == "foreign":
        (folder / "0000000100.png").write_bytes(b"junk")
    assert grids(folder) == []
    assert not write_progress(folder, tmp_path / "progress.gif")
    assert not (tmp_path / "progress.gif").exists()


def test_samples_that_are_a_file_are_said_so(begin, small, tmp_path):
    _, state = begin("fc", small("fc"))
    (tmp_path / "samples").write_text("")
    with pytest.raises(GanvasError, match="samples cannot be used: a file is in the way"):
        SampleWriter(tmp_path / "samples", 3).write(state)


def test_large_grids_are_no_bombs(tmp_path, monkeypatch):
    lay(tmp_path / "samples", 100)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 400)  # 600 warn, and more than 800 are refused
    assert names(tmp_path / "samples") == [100]
    assert write_progress(tmp_path / "samples", tmp_path / "progress.gif")
    monkeypatch.undo()
    with Image.open(tmp_path / "progress.gif") as film:
        assert np.asarray(film.convert("RGB")).shape == (20, 30, 3)
