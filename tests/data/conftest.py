"""What the data tests share: a cache of their own, and images on disk."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from ganvas.data import DataSettings, prepare


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The cache of one test."""
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def root(tmp_path):
    """An empty folder for images."""
    (tmp_path / "photos").mkdir()
    return tmp_path / "photos"


def image_bytes(value=0, side=8, kind="PNG"):
    """An image file of random colours that differ for every value."""
    pixels = np.random.default_rng(value).integers(0, 256, (side, side, 3), np.uint8)
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def save(folder, names):
    """Save a different image under every name."""
    for value, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(image_bytes(value))


def finish(generator):
    """The result of a preparation, and its events."""
    events = []
    while True:
        try:
            events.append(next(generator))
        except StopIteration as stop:
            return stop.value, events


def prepared(source, workers=2, **settings):
    """The images of a source at 8 x 8 pixels."""
    return finish(prepare(str(source), DataSettings(**{"size": "8", **settings}), workers=workers))


@pytest.fixture(name="prepared")
def _prepared():
    return prepared


@pytest.fixture(name="save")
def _save():
    return save


@pytest.fixture(name="image_bytes")
def _image_bytes():
    return image_bytes


@pytest.fixture(name="finish")
def _finish():
    return finish


@pytest.fixture
def refusals():
    """The refused files of images as a dictionary: name to reason."""
    return lambda images: {refusal.name: refusal.reason for refusal in images.refused}
