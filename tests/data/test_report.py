"""What became of a folder, in numbers and as a picture."""

import json

from ganvas.data import contact_sheet, report


def test_report(root, save, prepared):
    save(root, ["a.png", "b.txt", "c.txt", "d.mp4"])
    made = report(prepared(root)[0])
    assert (made.usable, made.channels, made.height, made.width) == (1, 3, 8, 8)
    assert list(made.reasons.items()) == [
        ("is not a picture (.txt: text)", 2),
        ("is not a picture (.mp4: a film)", 1),
    ]
    told = json.loads(json.dumps(made.as_json()))
    assert told["source"] == str(root)
    assert told["refused"][0] == {"name": "b.txt", "reason": "is not a picture (.txt: text)"}


def test_contact_sheet(root, save, prepared):
    save(root, [f"{number:02d}.png" for number in range(20)])
    pictures, _ = prepared(root)
    sheet = contact_sheet(pictures, 4)
    assert sheet.shape == (22, 22, 3)
    assert (sheet[2:10, 2:10] == pictures.batch([0])[0]).all()
    assert (sheet[12:20, 12:20] == pictures.batch([19])[0]).all()
    assert contact_sheet(pictures).shape == (42, 52, 3)
