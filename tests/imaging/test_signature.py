"""A signature stands in its corner, as strong and as large as asked, and nothing else changes."""

import numpy as np
import pytest
from PIL import Image

from ganvas.imaging import is_generated
from ganvas.imaging.signature import CORNERS, signed


@pytest.fixture
def grey():
    return Image.new("RGB", (200, 100), (128, 128, 128))


@pytest.fixture
def mark():
    """A red square with a transparent rim of green, which must not show."""
    image = Image.new("RGBA", (40, 40), (0, 255, 0, 0))
    image.paste((255, 0, 0, 255), (10, 10, 30, 30))
    return image


def changed(image, before):
    """Rows and columns that differ, as (top, bottom, left, right)."""
    rows, columns = np.nonzero((np.asarray(image) != np.asarray(before)).any(2))
    return rows.min(), rows.max(), columns.min(), columns.max()


@pytest.mark.parametrize("corner", CORNERS)
def test_it_stands_in_its_corner(grey, mark, corner):
    top, bottom, left, right = changed(signed(grey, mark, corner), grey)
    assert (bottom < 50) == corner.startswith("top")
    assert (right < 100) == corner.endswith("left")
    assert min(top, 99 - bottom) >= 3
    assert min(left, 199 - right) >= 3


@pytest.mark.parametrize("size", [0.05, 0.2, 0.45])
def test_it_is_as_wide_as_asked(grey, mark, size):
    _, _, left, right = changed(signed(grey, mark, size=size, opacity=1), grey)
    assert abs((right - left + 1) - 200 * size / 2) <= 3, "half of the mark is its rim"


def test_it_never_fills_more_than_the_image(mark):
    for sides in ((30, 200), (200, 30), (2, 2), (1, 1)):
        image = Image.new("RGB", sides, "white")
        assert signed(image, mark, size=1).size == sides


def test_it_is_as_opaque_as_asked(grey, mark):
    for opacity in (0.25, 1.0):
        found = np.asarray(signed(grey, mark, "top-left", 0.4, opacity)).reshape(-1, 3)
        reddest = found[found[:, 0].argmax()]
        assert abs(reddest[0] - (128 + opacity * 127)) <= 2
        assert abs(reddest[1] - 128 * (1 - opacity)) <= 2
        assert found[:, 1].max() == 128, "the colour of transparent pixels does not show"


def test_ink_on_paper_leaves_the_paper_out(grey):
    paper = Image.new("RGB", (40, 40), "white")
    paper.paste((0, 0, 160), (15, 0, 25, 40))
    found = np.asarray(signed(grey, paper, "top-left", 0.4, 1.0)).reshape(-1, 3)
    assert found.max() <= 160
    assert (found == 128).all(1).mean() > 0.9
    assert (found == (0, 0, 160)).all(1).any()


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "LA"])
def test_every_mode_can_be_signed(mark, mode):
    image = Image.new("RGBA", (60, 60), (10, 200, 30, 90)).convert(mode)
    found = signed(image, mark, "top-left")
    assert found.mode == ("RGBA" if mode in ("RGBA", "LA") else "RGB")
    assert found.getpixel((59, 59)) == image.convert(found.mode).getpixel((59, 59))


@pytest.fixture
def folder(tmp_path, grey, mark):
    place = tmp_path / "images"
    place.mkdir()
    for name in ("b.jpg", "a.png", "c.webp", "d.tif"):
        grey.save(place / name)
    (place / "broken.png").write_bytes(b"no image")
    (place / "notes.txt").write_text("none")
    mark.save(tmp_path / "mark.png")
    return place


def test_a_folder_is_signed_and_stays_as_it_is(folder, tmp_path, run):
    before = {path: path.read_bytes() for path in folder.iterdir()}
    out = tmp_path / "signed"
    status, said, fault = run("sign", folder, "--signature", tmp_path / "mark.png", "--out", out)
    assert status == 0
    assert "4 of 5 images signed" in said
    assert "passed over" in fault
    assert "broken.png" in fault
    assert sorted(path.name for path in out.iterdir()) == ["a.png", "b.jpg", "c.webp", "d.tif"]
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    for path in out.iterdir():
        with Image.open(path) as image:
            assert image.size == (200, 100)
    status, _, fault = run("sign", folder, "--signature", tmp_path / "mark.png", "--out", out)
    assert status == 1
    assert "is there and stays" in fault


def test_nothing_is_made_of_what_is_not_there(folder, tmp_path, run):
    broken = tmp_path / "only" / "broken.png"
    broken.parent.mkdir()
    broken.write_bytes(b"no")
    out = tmp_path / "signed"
    for images, said in ((tmp_path / "away", "no image or folder"), (broken, "none of 1 images")):
        status, _, fault = run("sign", images, "--signature", tmp_path / "mark.png", "--out", out)
        assert (status, said in fault) == (1, True), fault
    assert not out.exists()


def test_an_original_is_never_replaced(folder, tmp_path, run):
    before = (folder / "a.png").read_bytes()
    arguments = ("--signature", tmp_path / "mark.png", "--out", folder)
    status, _, fault = run("sign", folder / "a.png", *arguments)
    assert (status, "is an original and stays" in fault) == (1, True)
    assert (folder / "a.png").read_bytes() == before


def test_a_generated_image_stays_marked(tmp_path, mark, run):
    mark.save(tmp_path / "mark.png")
    assert run("sample", "digits", "--count", 1, "--out", tmp_path / "new")[0] == 0
    (sample,) = (tmp_path / "new").glob("*.png")
    out = tmp_path / "signed"
    assert run("sign", sample, "--signature", tmp_path / "mark.png", "--out", out)[0] == 0
    assert is_generated((out / sample.name).read_bytes())


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--size", 0), "--size 0: give a share"),
        (("--opacity", 1.5), "--opacity 1.5: give a share"),
        (("--corner", "middle"), "no corner is called 'middle'"),
    ],
)
def test_wrong_options_are_said(folder, tmp_path, run, flags, said):
    out = tmp_path / "signed"
    arguments = ("--signature", tmp_path / "mark.png", "--out", out, *flags)
    status, _, fault = run("sign", folder, *arguments)
    assert status == 1
    assert said in fault
    assert not out.exists()


def test_what_is_no_image_is_said(folder, tmp_path, run):
    status, _, fault = run("sign", folder / "notes.txt", "--signature", tmp_path / "mark.png")
    assert (status, "signed images end in one of" in fault) == (1, True)
    status, _, fault = run("sign", folder, "--signature", tmp_path / "nothing.png")
    assert (status, "nothing.png" in fault) == (1, True)
