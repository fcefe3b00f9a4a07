"""Where a folder's images go: each to a place of its own, whatever the file system thinks."""

import os
import random
import unicodedata
from pathlib import Path

import pytest

from ganvas.style.settings import StyleSettings
from ganvas.style.targets import plan_targets
from ganvas.style.work import Work, outputs


def plan(*places, every=None, preset="default"):
    work = Work(Path("in"), (), Path("out"), StyleSettings(preset=preset), every=every)

    def family(target):
        return outputs(Work(work.content, (), target, work.settings, every=every))

    found = plan_targets([Path(place) for place in places], family)
    everything = [path for target in found.values() for path in family(target)]
    folders = {same(p) for place in places for p in Path(place).parents}
    assert len({same(path) for path in everything}) == len(everything), "no two are one"
    assert not folders & {same(path) for path in everything}, "no file is a folder"
    assert all(len(os.fsencode(path.name)) <= 255 for path in everything)
    return {place.as_posix(): target.as_posix() for place, target in found.items()}


def same(path):
    """As a file system sees a name that knows neither case nor composition."""
    return unicodedata.normalize("NFC", str(path)).casefold()


def test_names_stay_as_they_are_where_they_can():
    assert plan("a.jpg", "b/a.jpg", "c") == {"a.jpg": "a.png", "b/a.jpg": "b/a.png", "c": "c.png"}
    assert plan("a.jpg", "a.webp") == {"a.jpg": "a.jpg.png", "a.webp": "a.webp.png"}


@pytest.mark.parametrize(
    "places",
    [
        ("a.jpg", "a.png", "a.jpg.png"),
        ("a.jpg", "a.png", "a.jpg.png", "a.png.png", "a.jpg.png.png"),
        ("A.jpg", "a.jpg"),
        ("X/a.jpg", "x/a.jpg", "x/A.JPG"),
        ("caf\u00e9.jpg", "cafe\u0301.jpg"),
        ("\u00c9.jpg", "e\u0301.jpg", "\u00e9.png"),
        ("stra\u00dfe.jpg", "STRASSE.jpg"),
        ("a.jpg", "a.png/b.jpg"),
        ("a", "a.png/b", "a.jpg", "A.PNG/c"),
        ("x" * 251 + ".jpg", "x" * 251 + ".png"),
        ("x" * 255,),
        ("\u00e9" * 127 + "a", "\u00e9" * 127 + "b", "\u00e9" * 127),
        ("a" + "\udcff" * 250 + ".jpg", "a" + "\udcff" * 250 + ".gif"),
    ],
)
def test_results_never_share_a_place(places):
    forward = plan(*places)
    assert len(forward) == len(places)
    assert plan(*reversed(places)) == forward, "whatever the order"


def test_stages_frames_and_films_have_places_of_their_own_too():
    assert plan("a.jpg", "a-1.jpg") == {"a.jpg": "a.png", "a-1.jpg": "a-1.png"}
    plan("a.jpg", "a-1.jpg", "a-2.jpg", preset="lesson")
    plan("a.jpg", "a-frames/00002.jpg", every=2)
    plan("a.jpg", "a-frames.jpg", "a.gif", every=2)
    plan("x" * 250 + ".jpg", every=2, preset="lesson")


def test_any_names_find_places():
    draw = random.Random(0)
    for _ in range(200):
        names = {
            "/".join(
                draw.choice(["a", "A", "a.png", "a.jpg", "a-1", "\u00e9", "e\u0301", "b" * 253])
                for _ in range(draw.randint(1, 2))
            )
            + draw.choice(["", ".png", ".jpg", ".jpg.png"])
            for _ in range(8)
        }
        names = [name for name in names if all(len(os.fsencode(p)) < 256 for p in name.split("/"))]
        plan(*names, every=draw.choice([None, 2]), preset=draw.choice(["draft", "lesson"]))
