"""Repainted images as files: whole or not there, with their settings and nothing private."""

import errno
import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image

from ganvas.events import Notice, StyleIteration, Stylized
from ganvas.imaging import UnreadableImageError
from ganvas.pretrained.examples import EXAMPLES
from ganvas.runtime import atomic
from ganvas.runtime.system import PlaceError
from ganvas.runtime.validation import SettingsError
from ganvas.style.facts import FACT, settings_in
from ganvas.style.files import FolderError, stylize_file, stylize_folder
from ganvas.style.settings import StyleSettings
from ganvas.style.work import Work, outputs

QUICK = StyleSettings(size=64, preset="draft", iterations=2)
CAFE = EXAMPLES["night_cafe"]


@pytest.fixture
def moose():
    return shown(EXAMPLES["moose"]).convert("RGB").resize((96, 64))


@pytest.fixture
def work(tmp_path, moose):
    moose.save(tmp_path / "moose.png")
    return Work(tmp_path / "moose.png", (CAFE,), tmp_path / "out.png", QUICK)


def shown(path):
    with Image.open(path) as image:
        image.load()
        return image


def full(path):
    raise OSError(errno.ENOSPC, "No space left on device", str(path))


def there(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_the_image_and_nothing_else_is_written(work, tmp_path):
    events = [*stylize_file(work)]
    assert there(tmp_path) == ["moose.png", "out.png"]
    assert events[-1].image == work.out
    assert shown(work.out).size == (64, 43)


def test_its_settings_stand_in_the_image_and_repeat_it(work):
    work = replace(work, settings=replace(QUICK, strength=0.7, seed=3, style_layers="relu2_1"))
    [*stylize_file(work)]
    known = settings_in(work.out)
    assert known.settings == work.settings
    again = replace(work, out=work.out.with_name("again.png"))
    [*stylize_file(again)]
    assert np.array_equal(*(np.asarray(shown(p)) for p in (work.out, again.out)))


def test_nothing_private_is_copied(work, tmp_path, moose):
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SecretCamera"
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.GPSInfo)[1] = "N"
    moose.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "phone.jpg", exif=exif)
    for name in ("out.png", "out.jpg", "out.tif", "out.webp"):
        [*stylize_file(replace(work, content=tmp_path / "phone.jpg", out=tmp_path / name))]
        stylized = shown(tmp_path / name)
        assert stylized.size == (64, 43), "upright"
        content = (tmp_path / name).read_bytes()
        assert b"SecretCamera" not in content
        assert str(tmp_path).encode() not in content, "no folder of this machine either"
        assert ExifTags.IFD.GPSInfo not in stylized.getexif()
        assert stylized.getexif().get(ExifTags.Base.Orientation, 1) == 1


@pytest.mark.pairwise
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("ending", [".png", ".tif", ".tiff", ".webp", ".jpg"])
@pytest.mark.parametrize("bits", [8, 16])
def test_every_format_holds_the_image(ending, bits, alpha, work, tmp_path, moose):
    if alpha:
        moose.putalpha(Image.linear_gradient("L").resize(moose.size))
        moose.save(work.content)
    work = replace(work, out=tmp_path / f"out{ending}", bits=bits)
    if (bits == 16 and ending in (".webp", ".jpg")) or (alpha and ending == ".jpg"):
        with pytest.raises(SettingsError, match=r"--(bits|out)"):
            [*stylize_file(work)]
        assert not work.out.exists()
        return
    image = list(stylize_file(work))
    assert isinstance(image[-1], Stylized)
    if bits == 8:
        assert shown(work.out).mode == ("RGBA" if alpha else "RGB")
        return
    reference = replace(work, out=tmp_path / "eight.png", bits=8)
    [*stylize_file(reference)]
    eight = np.asarray(shown(reference.out)).astype(int)
    deep = tifffile.imread(work.out) if ending != ".png" else _deep_png(work.out)
    assert deep.dtype == np.uint16
    assert deep.shape == eight.shape
    assert np.abs(deep / 257 - eight).max() <= 0.51
    assert len(np.unique(deep)) > 1000, "more than 8 bits of them"


def _deep_png(path):
    """By Pillow, which reads 16 bits as 8, and by hand, which does not."""
    import struct
    import zlib

    data = path.read_bytes()
    shown(path)
    width, height, bits, kind = struct.unpack(">IIBB", data[16:26])
    assert bits == 16
    channels = {2: 3, 6: 4}[kind]
    at = data.index(b"IDAT")
    (size,) = struct.unpack(">I", data[at - 4 : at])
    rows = np.frombuffer(zlib.decompress(data[at + 4 : at + 4 + size]), np.uint8)
    rows = rows.reshape(height, -1)
    assert (rows[:, 0] == 2).all()
    pixels = np.cumsum(rows[:, 1:], axis=0, dtype=np.uint8)
    return pixels.reshape(height, width, channels, 2).view(">u2")[..., 0].astype(np.uint16)


def test_every_so_many_iterations_are_kept_with_a_film(work, tmp_path):
    work = replace(work, every=2, settings=replace(QUICK, size=128, iterations=4))
    iterations = sum(isinstance(event, StyleIteration) for event in stylize_file(work))
    frames = [name for name in there(tmp_path) if name.startswith("out-frames/")]
    assert len(frames) == iterations // 2
    with Image.open(tmp_path / "out.gif") as film:
        assert film.size == (128, 85)
        assert film.n_frames > 1
    assert {path.name for path in outputs(work)} == {"out.png", "out-frames", "out.gif"}


def test_every_stage_is_kept(work, tmp_path):
    work = replace(work, settings=replace(QUICK, preset="lesson"))
    [*stylize_file(work)]
    assert there(tmp_path) == ["moose.png", "out-1.png", "out-2.png", "out.png"]
    assert {path.name for path in outputs(work)} == {"out-1.png", "out-2.png", "out.png"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_the_image_as_it_stands(number, work):
    seen = []

    def stylized():
        for event in stylize_file(replace(work, settings=replace(QUICK, iterations=1000))):
            seen.append(event)
            if isinstance(event, StyleIteration) and event.iteration == 3:
                os.kill(os.getpid(), number)

    with pytest.raises(KeyboardInterrupt if number == signal.SIGINT else SystemExit) as ended:
        stylized()
    if number == signal.SIGTERM:
        assert ended.value.code == 128 + number
    assert isinstance(seen[-1], Notice)
    assert "image as it stood" in seen[-1].sentence
    assert shown(work.out).size == (64, 43)
    assert settings_in(work.out)


def test_who_stops_iterating_keeps_the_image_too(work):
    events = stylize_file(work)
    next(event for event in events if isinstance(event, StyleIteration))
    events.close()
    assert shown(work.out).size == (64, 43)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"out": "out.bmp"}, r"--out out\.bmp: images are written as \.png"),
        ({"out": "nowhere/out.png"}, "there is no folder nowhere"),
        ({"out": "out.png", "bits": 12}, "--bits 12"),
        ({"out": "out"}, "use one of these"),
    ],
)
def test_what_cannot_be_written_is_refused_first(change, message, work):
    change = {"bits": 8, **change, "out": Path(change["out"])}
    with pytest.raises(SettingsError, match=message):
        next(stylize_file(replace(work, **change)))


def test_a_folder_is_stylized_whatever_is_in_it(work, tmp_path, moose):
    folder, out = tmp_path / "in", tmp_path / "stylized"
    (folder / "deeper").mkdir(parents=True)
    moose.save(folder / "a.png")
    moose.save(folder / "a.jpg")
    moose.convert("L").save(folder / "deeper/b.webp")
    (folder / "broken.jpg").write_bytes((folder / "a.jpg").read_bytes()[:300])
    (folder / "notes.txt").write_text("no image")
    Image.new("RGB", (4, 4)).save(folder / "tiny.png")
    work = replace(work, content=folder, out=out)
    events = [*stylize_folder(folder, work)]
    assert there(out) == ["a.jpg.png", "a.png.png", "deeper/b.png"]
    said = [event.sentence for event in events if isinstance(event, Notice)]
    assert said[-1].startswith("3 stylized, 0 were there already, 3 passed over, in")
    assert any("broken.jpg" in sentence for sentence in said)
    before = {path: (out / path).stat().st_mtime_ns for path in there(out)}
    again = [event.sentence for event in stylize_folder(folder, work) if isinstance(event, Notice)]
    assert sum("is there already and stays" in sentence for sentence in again) == 3
    assert again[-1].startswith("0 stylized, 3 were there already, 3 passed over, in")
    assert before == {path: (out / path).stat().st_mtime_ns for path in there(out)}


def test_a_batch_that_is_stopped_leaves_nothing_unfinished(work, tmp_path, moose):
    folder, out = tmp_path / "in", tmp_path / "stylized"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        moose.save(folder / name)
    batch = replace(work, content=folder, out=out)

    def stopped():
        for event in stylize_folder(folder, batch):
            if isinstance(event, StyleIteration) and (out / "a.png").exists():
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert there(out) == ["a.png"]
    [*stylize_folder(folder, batch)]
    assert there(out) == ["a.png", "b.png"]


def test_a_style_that_cannot_be_read_stops_a_batch_at_once(work, tmp_path):
    batch = replace(
        work, content=tmp_path, out=tmp_path / "stylized", styles=(tmp_path / "no.jpg",)
    )
    with pytest.raises(UnreadableImageError, match=r"no\.jpg"):
        next(stylize_folder(tmp_path, batch))


def test_a_full_disk_is_one_sentence(work, monkeypatch):
    monkeypatch.setattr(atomic, "flush", full)
    with pytest.raises(PlaceError, match=r"out\.png cannot be used: the disk is full"):
        [*stylize_file(work)]
    assert there(work.out.parent) == ["moose.png"]


def test_a_folder_stylized_into_itself_does_not_stylize_its_results(work, tmp_path, moose):
    folder = tmp_path / "in"
    folder.mkdir()
    moose.save(folder / "a.png")
    work = replace(work, content=folder, out=folder / "stylized")
    [*stylize_folder(folder, work)]
    [*stylize_folder(folder, work)]
    assert there(folder) == ["a.png", "stylized/a.png"]


def test_a_folder_without_images_is_an_error(work, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FolderError, match="no image"):
        [*stylize_folder(tmp_path / "empty", replace(work, out=tmp_path / "stylized"))]


def test_images_that_say_nothing_about_themselves(tmp_path, moose):
    moose.save(tmp_path / "plain.png")
    (tmp_path / "text.png").write_text("no image")
    for name, message in (
        ("plain.png", "carries no settings"),
        ("text.png", "cannot be read"),
        ("none.png", "cannot be read"),
    ):
        with pytest.raises(SettingsError, match=message):
            settings_in(tmp_path / name)


def test_absolute_paths_are_told_by_name_alone(tmp_path):
    work = Work(tmp_path / "a.jpg", (Path("styles/b.jpg"),), Path("out.png"))
    told = json.loads(work.facts[FACT])
    assert (told["content"], told["styles"]) == ("a.jpg", ["styles/b.jpg"])
