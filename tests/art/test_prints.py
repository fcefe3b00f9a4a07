"""From paintings to signed prints: every step leaves its files and is done once."""

from functools import partial
from importlib import import_module

import numpy as np
import pytest
from PIL import Image

from ganvas.art.prints import ArtError, Commission, check, prints
from ganvas.checkpoints.metadata import CheckpointError
from ganvas.events import Notice, Stylized
from ganvas.runtime.system import PlaceError
from ganvas.style.settings import StyleSettings

module = import_module("ganvas.art.prints")  # its name in the package is the function's


@pytest.fixture
def places(tmp_path):
    """A folder of two paintings, one of them broken, a photograph, and a signature."""
    for folder in ("paintings", "photos"):
        (tmp_path / folder).mkdir()
    random = np.random.default_rng(0)

    def save(path, side):
        small = random.integers(0, 255, (6, 6, 3), np.uint8)
        Image.fromarray(small).resize((side, side)).save(path)

    save(tmp_path / "paintings/a.png", 80)
    save(tmp_path / "photos/house.jpg", 90)
    (tmp_path / "photos/broken.jpg").write_bytes(b"no")
    Image.new("RGBA", (20, 10), (255, 0, 0, 255)).save(tmp_path / "me.png")
    return tmp_path


def wish(places, **changes):
    usual = {"paintings": places / "paintings", "out": places / "art", "start": "digits"}
    usual |= {"photos": places / "photos", "signature": places / "me.png", "count": 2}
    return Commission(**usual | {"size": 64, "enlarged": 96} | changes)


@pytest.fixture
def quick(monkeypatch):
    """Style transfer of one iteration."""
    monkeypatch.setattr(module, "StyleSettings", partial(StyleSettings, iterations=1))


def redness(path):
    """How much redder than green a print is where a red signature would be."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB").resize((96, 96)), int)[-8, -10]
    return pixels[0] - pixels[1]


def test_a_folder_of_paintings_becomes_signed_prints(places, quick, returned):
    made = returned(prints(wish(places)))
    assert len(made) == 3
    for path in made:
        with Image.open(path) as image:
            assert max(image.size) == 96
            corner = np.asarray(image.convert("RGB"))[-8, -10].astype(int)
            assert corner[0] > corner[1] + 60, "the signature is red"
            assert any(name.startswith("ganvas.") for name in image.info)
    chosen = sorted((places / "art/chosen").iterdir())
    assert len(chosen) == 2
    with Image.open(places / "art/contact.png") as sheet:
        assert min(sheet.size) >= 2 * 320
    with Image.open(places / "photos/house.jpg") as original:
        assert original.size == (90, 90)


def test_what_is_there_is_not_made_again(places, quick, returned):
    made = returned(prints(wish(places)))
    before = {path: path.stat().st_mtime_ns for path in made}
    made[0].unlink()
    events = list(prints(wish(places)))
    assert not [event for event in events if isinstance(event, Stylized)]
    assert {path: path.stat().st_mtime_ns for path in made[1:]} == {
        path: time for path, time in before.items() if path != made[0]
    }
    assert made[0].exists()
    assert any("broken.jpg" in e.sentence for e in events if isinstance(e, Notice))


def test_one_painting_that_cannot_be_read_costs_no_print(places, quick, returned):
    (places / "paintings/0.png").write_bytes(b"no painting")
    events = list(prints(wish(places)))
    said = [event.sentence for event in events if isinstance(event, Notice)]
    assert sum("0.png" in sentence and "Left out" in sentence for sentence in said) == 1
    assert len(list((places / "art/prints").iterdir())) == 3


def test_what_is_asked_for_in_another_way_is_made_again(places, quick, returned):
    made = returned(prints(wish(places)))
    signed = [redness(path) for path in made]
    returned(prints(wish(places, signature=None, enlarged=128)))
    for path, before in zip(made, signed, strict=True):
        with Image.open(path) as image:
            assert max(image.size) == 128
        assert redness(path) < before - 20, "unsigned now"
    repainted = {path: path.read_bytes() for path in (places / "art/repainted").iterdir()}
    returned(prints(wish(places, strength=0.9)))
    assert all(path.read_bytes() != before for path, before in repainted.items())
    before = {path.name for path in (places / "art/chosen").iterdir()}
    returned(prints(wish(places, start="emoji")))
    with Image.open(places / "art/chosen" / max(before)) as kept:
        assert kept.size == (32, 32)  # what another model has made is not thrown away
    assert len(list((places / "art/chosen").iterdir())) > 2


def test_a_chosen_image_that_was_deleted_does_not_come_back(places, quick, returned):
    returned(prints(wish(places)))
    chosen = sorted((places / "art/chosen").iterdir())
    chosen[0].unlink()
    returned(prints(wish(places)))
    now = sorted((places / "art/chosen").iterdir())
    assert len(now) == 2
    assert chosen[1] in now
    assert chosen[0] not in now


def test_a_model_is_trained_on_the_paintings_if_none_is_named(places, quick, returned):
    (places / "paintings/b.png").write_bytes((places / "paintings/a.png").read_bytes())
    returned(prints(wish(places, start=None, photos=None, seconds=2.0, count=1, size=64)))
    assert (places / "art/run/run.yaml").exists()
    assert len(list((places / "art/prints").iterdir())) == 1


def test_faults_are_said_before_any_work(places):
    empty = places / "empty"
    empty.mkdir()
    with pytest.raises(ArtError, match="holds no painting"):
        next(prints(wish(places, paintings=empty)))
    with pytest.raises(ArtError, match="holds no photograph"):
        next(prints(wish(places, photos=empty)))
    with pytest.raises(ArtError, match="there is no folder"):
        next(prints(wish(places, paintings=places / "away")))
    with pytest.raises(CheckpointError, match="no run, checkpoint"):
        next(prints(wish(places, start="nothing")))
    with pytest.raises(ArtError, match="at least the pixels"):
        check(wish(places, enlarged=32))
    with pytest.raises(PlaceError, match="folder of photographs"):
        check(wish(places, out=places / "photos"))
    assert not (places / "art").exists()
