"""What an image says about itself is read without its pixels, and trusted in nothing."""

import json
import random
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from ganvas.runtime.validation import SettingsError
from ganvas.style import facts
from ganvas.style.facts import FACT, SIGNATURE, StyleFacts, facts_of, settings_in
from ganvas.style.settings import StyleSettings
from ganvas.style.work import Work

ABOUT = {
    "version": "0.1.0",
    "content": "moose.jpg",
    "styles": ["cafe.jpg", "wave.jpg"],
    "masks": [["sky.png", "clouds.png"], ["sea.png", None]],
    "features": None,
    "settings": {"size": 128, "strength": 0.7, "weights": "2,1", "style_layers": "relu2_1"},
}


def chunk(kind, body):
    check = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + check


def png(text, kind=b"tEXt", before=True, pixels=b"no pixels at all"):
    """A PNG whose text can be read, and whose pixels cannot."""
    size = chunk(b"IHDR", struct.pack(">IIBBBBB", 16_000, 11_000, 8, 2, 0, 0, 0))
    key = FACT.encode() + b"\0"
    data = text if isinstance(text, bytes) else text.encode("latin-1")
    body = {
        b"tEXt": key + data,
        b"zTXt": key + b"\0" + zlib.compress(data),
        b"iTXt": key + b"\0\0en\0stil\0" + data,
        b"iTXz": key + b"\1\0\0\0" + zlib.compress(data),
    }[kind]
    told, shown = chunk(b"iTXt" if kind == b"iTXz" else kind, body), chunk(b"IDAT", pixels)
    order = (told, shown) if before else (shown, told)
    return SIGNATURE + size + b"".join(order) + chunk(b"IEND", b"")


@pytest.fixture
def said(tmp_path):
    def read(data):
        (tmp_path / "like.png").write_bytes(data)
        return settings_in(tmp_path / "like.png")

    return read


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iTXt", b"iTXz"])
@pytest.mark.parametrize("before", [True, False])
def test_text_is_read_wherever_it_stands_and_no_pixels_are(kind, before, said):
    found = said(png(json.dumps(ABOUT), kind, before))
    assert found.settings == StyleSettings(
        size=128, strength=0.7, weights="2,1", style_layers="relu2_1"
    )
    assert (found.content, found.styles) == ("moose.jpg", ("cafe.jpg", "wave.jpg"))
    assert found.masks == (("sky.png", "clouds.png"), ("sea.png", None))


def test_pillow_reads_the_same(tmp_path):
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("Comment", "of someone else")
    chunks.add_text(FACT, json.dumps(ABOUT), zip=True)
    Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(tmp_path / "p.png", pnginfo=chunks)
    assert settings_in(tmp_path / "p.png").content == ABOUT["content"]


def test_what_is_written_is_read(tmp_path):
    settings = StyleSettings(seed=2**63 - 1, tv=0.25, weights="1,2")
    work = Work(
        tmp_path / "a\udcff.jpg",
        (tmp_path.relative_to(tmp_path) / "s.jpg",),
        tmp_path / "o.png",
        settings,
        ((tmp_path / "m", None),),
    )
    text = work.facts[FACT]
    (tmp_path / "o.png").write_bytes(png(text))
    found = settings_in(tmp_path / "o.png")
    assert found == StyleFacts("a\udcff.jpg", ("s.jpg",), settings, (("m", None),))
    assert str(tmp_path) not in text


def test_what_an_older_ganvas_did_not_say_is_not_needed(said):
    least = {name: ABOUT[name] for name in ("content", "styles")} | {"settings": {"size": 64}}
    assert said(png(json.dumps(least))).settings == StyleSettings(size=64)
    newer = json.dumps(ABOUT | {"something": [1]})
    assert said(png(newer)).content == "moose.jpg"


HOSTILE = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"9" * 100_000,
    b'{"content": 1e999}',
    json.dumps(ABOUT | {"settings": {"size": 10**400}}).encode(),
    json.dumps(ABOUT | {"settings": {"strength": float("nan")}}).encode(),
    json.dumps(ABOUT | {"settings": {"tv": float("inf")}}).encode(),
    json.dumps(ABOUT | {"settings": {"unheard": 1}}).encode(),
    json.dumps(ABOUT | {"settings": [["size", 64]]}).encode(),
    json.dumps(ABOUT | {"settings": None}).encode(),
    json.dumps(ABOUT | {"content": "/etc/passwd"}).encode(),
    json.dumps(ABOUT | {"content": "a\0b"}).encode(),
    json.dumps(ABOUT | {"content": ""}).encode(),
    json.dumps(ABOUT | {"content": "x" * 100_000}).encode(),
    json.dumps(ABOUT | {"styles": []}).encode(),
    json.dumps(ABOUT | {"styles": "cafe.jpg"}).encode(),
    json.dumps(ABOUT | {"styles": {"a": 1}}).encode(),
    json.dumps(ABOUT | {"masks": [["a"]]}).encode(),
    json.dumps(ABOUT | {"masks": [["a", "b", "c"]]}).encode(),
    json.dumps(ABOUT | {"masks": [[None, "a"]]}).encode(),
    json.dumps(ABOUT | {"features": 5}).encode(),
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:40]))
def test_hostile_settings_are_one_sentence(text, said):
    with pytest.raises(SettingsError, match=r"like\.png: its settings are damaged") as fault:
        said(png(text, b"zTXt"))
    assert len(str(fault.value).split("like.png", 1)[1]) < 300
    assert str(fault.value).isprintable()


def test_text_that_unpacks_without_end_is_not_unpacked(said):
    with pytest.raises(SettingsError, match="settings are damaged"):
        said(png(b" " * 20_000_000, b"zTXt"))


def test_damaged_files_are_one_sentence(said):
    whole = png(json.dumps(ABOUT), before=False)
    draw = random.Random(0)
    for _ in range(500):
        data = bytearray(whole)
        for _ in range(draw.randint(1, 3)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        with suppress(SettingsError):
            said(bytes(data[: draw.choice([len(data), draw.randrange(len(data))])]))


VALUES = [
    *(None, True, -1, 0, 1.5, 10**30, float("nan"), float("-inf"), 1e308, [], {}, [[]]),
    *("", "x", "\0", "/", "~", "\ud800", "\n", "relu1_1:nan", "9" * 5000, {"a": None}, [[None]]),
]


def mutated(content, draw):
    """A copy in which a value somewhere is another, gone, or there twice."""
    if isinstance(content, dict) and content and draw.random() < 0.9:
        key = draw.choice(sorted(content))
        if draw.random() < 0.1:
            return {name: value for name, value in content.items() if name != key}
        return content | {key: mutated(content[key], draw)}
    if isinstance(content, list) and content and draw.random() < 0.8:
        at = draw.randrange(len(content))
        return [*content[:at], mutated(content[at], draw), *content[at + draw.randint(0, 1) :]]
    return draw.choice(VALUES)


def test_two_thousand_mutated_values_are_settings_or_one_sentence(said):
    draw, refused = random.Random(0), []
    whole = json.loads(facts_of_everything())
    for _ in range(2000):
        try:
            found = said(png(json.dumps(mutated(whole, draw))))
            assert isinstance(found, StyleFacts)
            _ = found.settings.recipe, found.settings.shares(len(found.styles))
        except SettingsError as fault:
            refused.append(str(fault))
    assert 1000 < len(refused) < 2000
    assert all(sentence.isprintable() for sentence in refused)


def facts_of_everything():
    settings = StyleSettings(weights="1,2", style_layers="relu1_1:2", tv=1.0, iterations=3)
    pair = (Path("m.png"), Path("n.png"))
    return facts_of(
        Path("a.jpg"), (Path("b"), Path("c")), (pair, (pair[0], None)), Path("f"), settings
    )[FACT]


def test_chunks_without_end_end(said, monkeypatch):
    monkeypatch.setattr(facts, "MOST_CHUNKS", 50)
    many = SIGNATURE + chunk(b"tEXt", b"other\0") * 100 + png(json.dumps(ABOUT))[8:]
    with pytest.raises(SettingsError, match="carries no settings"):
        said(many)
