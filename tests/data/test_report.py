"""What became of a folder, in numbers and as an image."""

import json

import pytest

from ganvas.data import contact_sheet, report
from ganvas.imaging import is_generated


def test_report(root, save, prepared):
    save(root, ["a.png", "b.txt", "c.txt", "d.mp4"])
    made = report(prepared(root)[0])
    assert (made.usable, made.channels, made.height, made.width) == (1, 3, 8, 8)
    assert list(made.reasons.items()) == [
        ("is not an image (.txt: text)", 2),
        ("is not an image (.mp4: a film)", 1),
    ]
    told = json.loads(json.dumps(made.as_json()))
    assert told["source"] == str(root)
    assert told["refused"][0] == {"name": "b.txt", "reason": "is not an image (.txt: text)"}


def test_contact_sheet(root, save, prepared):
    save(root, [f"{number:02d}.png" for number in range(20)])
    images, _ = prepared(root)
    sheet = contact_sheet(images, 4)
    assert sheet.shape == (22, 22, 3)
    assert (sheet[2:10, 2:10] == images.batch([0])[0]).all()
    assert (sheet[12:20, 12:20] == images.batch([19])[0]).all()
    assert contact_sheet(images).shape == (42, 52, 3)


@pytest.mark.parametrize("count", [1, 2, 3, 19, 20, 39, 40, 99, 100])
def test_any_number_of_images(root, save, run, count, tmp_path):
    save(root, [f"{number}.png" for number in range(count)])
    status, out, _ = run("data", root, "--size", 8, "--sheet", tmp_path / "sheet.png")
    assert status == 0
    assert out.startswith(f"{count} usable images in ")
    assert is_generated((tmp_path / "sheet.png").read_bytes()), "nobody learns from it"


def test_no_image_is_a_sentence(root, run, tmp_path):
    status, out, err = run("data", root, "--sheet", tmp_path / "sheet.png")
    assert (status, out) == (1, "")
    assert err == f"ganvas: there are no images in {root}: it is empty\n"
    assert not (tmp_path / "sheet.png").exists()


def test_the_place_of_the_sheet_is_tried_before_anything_else(root, save, run, tmp_path):
    save(root, ["a.png"])
    places = {
        tmp_path: "is a folder",
        tmp_path / "nowhere" / "x.png": "there is no folder",
        root / "a.png": "ganvas has not made it",
        root / "a.png" / "x.png": "a.png",
    }
    before = (root / "a.png").read_bytes()
    for place, message in places.items():
        status, out, err = run("data", root, "--sheet", place)
        assert (status, out) == (1, "")
        assert message in err
        assert err.count("\n") == 1
    assert (root / "a.png").read_bytes() == before
