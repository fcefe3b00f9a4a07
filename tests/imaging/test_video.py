"""Films: what is written can be read back, whole or not at all."""

import av
import numpy as np
import pytest
from PIL import Image

from ganvas.imaging import video
from ganvas.imaging.video import FilmError, check_film, write_film
from ganvas.runtime.system import PlaceError


@pytest.fixture(params=[1, 3, 4])
def frames(request):
    shades = np.linspace(0, 255, 10).astype(np.uint8)
    frames = np.broadcast_to(shades[:, None, None, None], (10, 31, 48, request.param)).copy()
    if request.param == 4:
        frames[..., 3] = 255
    return frames


def test_an_mp4_holds_every_frame_with_even_sides(frames, tmp_path):
    write_film(tmp_path / "film.mp4", frames, 12)
    with av.open(str(tmp_path / "film.mp4")) as film:
        read = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
        assert film.streams.video[0].average_rate == 12
    assert len(read) == 10
    assert read[0].shape == (32, 48, 3)
    for found, given in zip(read, frames, strict=True):
        assert abs(found.astype(int).mean() - given[..., :3].mean()) < 4


def test_a_gif_holds_every_frame_and_has_no_end(frames, tmp_path):
    write_film(tmp_path / "film.gif", frames, 10)
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == 10
        assert film.info["loop"] == 0
        assert film.info["duration"] == 100


def test_what_cannot_be_written_is_refused_before_any_work(tmp_path, monkeypatch):
    with pytest.raises(FilmError, match=r"\.mp4 or \.gif"):
        check_film(tmp_path / "film.avi")
    with pytest.raises(PlaceError, match="there is no folder"):
        check_film(tmp_path / "nowhere" / "film.gif")
    check_film(tmp_path / "film.gif")

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(video, "import_module", missing)
    with pytest.raises(FilmError, match=r"ganvas\[video\]"):
        check_film(tmp_path / "film.mp4")


def test_a_film_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(b"before")
    with pytest.raises(Exception):  # noqa: B017, PT011  # whatever the encoder says
        write_film(path, np.zeros((3, 8, 8, 2), np.uint8), 12)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]
