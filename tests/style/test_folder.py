"""A folder is stylized whatever is in it and in the way: said honestly, and nothing lost."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.events import Notice, StyleIteration, Stylized
from ganvas.runtime import atomic
from ganvas.runtime.signals import HELD
from ganvas.runtime.system import PlaceError
from ganvas.runtime.validation import SettingsError
from ganvas.style import files, images
from ganvas.style.facts import settings_in
from ganvas.style.files import FolderError, stylize_file, stylize_folder
from ganvas.style.forecast import TooLargeError
from ganvas.style.images import ImageError
from ganvas.style.optimization import StyleError
from ganvas.style.settings import StyleSettings
from ganvas.style.work import Work

QUICK = StyleSettings(size=64, preset="draft", iterations=4)
STROKES = 4


def quickly(photograph, paintings, settings, masks=(), weights=None):
    """What `repaint` reports, without its work: the photograph, darker from iteration to
    iteration."""
    last = len(settings.recipe.stages)
    for stage in range(1, last + 1):
        for iteration in range(1, STROKES + 1):
            darker = replace(photograph, colours=photograph.colours * (1 - 0.1 * iteration))
            height, width = darker.colours.shape[2:]
            number = STROKES * (stage - 1) + iteration
            yield StyleIteration(
                number, last * STROKES, height, width, stage, 0, 0, {}, lambda d=darker: d
            )
        yield Stylized(stage, last, 0.0, darker)


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setattr(files, "repaint", quickly)


def image(path, side=24, mode="RGB", seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (side, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(path, path.suffix[1:] if path.suffix else "PNG")
    return path


@pytest.fixture
def work(tmp_path):
    style = image(tmp_path / "style.png", seed=9)
    return Work(tmp_path / "in", (style,), tmp_path / "out", QUICK)


def said(work):
    return [e.sentence for e in stylize_folder(work.content, work) if isinstance(e, Notice)]


def there(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


@pytest.mark.usefixtures("fake")
def test_three_numbers_are_said(work):
    for name in ("a", "b", "c"):
        image(work.content / f"{name}.png")
    assert said(work)[-1] == f"3 stylized, 0 were there already, 0 passed over, in {work.out}."
    (work.out / "b.png").unlink()
    (work.out / "c.png").unlink()
    (work.content / "c.png").write_bytes(b"no image")
    sentences = said(work)
    assert sentences[-1] == f"1 stylized, 1 was there already, 1 passed over, in {work.out}."
    assert f"{work.out / 'a.png'} is there already and stays." in sentences


@pytest.mark.usefixtures("fake")
def test_only_overwriting_replaces(work):
    for name in ("a", "b"):
        image(work.content / f"{name}.png")
    said(work)
    before = {name: (work.out / name).read_bytes() for name in there(work.out)}
    changed = replace(work, settings=replace(QUICK, seed=5))
    assert said(changed)[-1].startswith("0 stylized, 2 were there already, 0 passed over")
    assert before == {name: (work.out / name).read_bytes() for name in there(work.out)}
    assert said(replace(changed, overwrite=True))[-1].startswith("2 stylized, 0 were there already")
    assert settings_in(work.out / "a.png").settings.seed == 5


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize(
    "names",
    [
        ["a.jpeg", "a.png", "a.jpeg.png"],
        ["A.png", "a.png"],
        ["caf\u00e9.png", "cafe\u0301.png"],
        ["a.png", "a.png.d/a.png", "a.d/a.png"],
    ],
)
def test_as_many_are_there_as_are_counted(names, work):
    for seed, name in enumerate(names):
        image(work.content / name, seed=seed)
    count = len(there(work.content))  # fewer, where the file system tells names apart less
    assert said(work)[-1].startswith(f"{count} stylized, 0 were")
    assert len(there(work.out)) == count
    assert {settings_in(work.out / name).content for name in there(work.out)} == {
        Path(name).name for name in there(work.content)
    }
    assert said(work)[-1].startswith(f"0 stylized, {count} were there already")


@pytest.mark.usefixtures("fake")
def test_names_as_long_as_names_can_be(work):
    for name in ("x" * 251 + ".png", "y" * 250 + ".jpeg", "z" * 255, "c.png"):
        image(work.content / name)
    assert said(work)[-1].startswith("4 stylized, 0 were there already, 0 passed over")
    assert len(there(work.out)) == 4
    assert said(work)[-1].startswith("0 stylized, 4 were there already")


def in_the_way(work):
    """Every file of `a` is hindered by something, and those of `b` are not."""
    everything = {
        "a/broken.png": lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n and no more"),
        "a/empty.png": lambda path: path.write_bytes(b""),
        "a/tiny.png": lambda path: image(path, 4),
        "a/narrow.png": lambda path: Image.new("RGB", (400, 20)).save(path),
        "a/unseen.png": lambda path: Image.new("RGBA", (40, 40), (9, 9, 9, 0)).save(path),
        "a/folder.png": image,
        "a/file/c.png": image,
        "b/good.png": image,
        "b/grey.png": lambda path: image(path, mode="L"),
    }
    for name, make in everything.items():
        (work.content / name).parent.mkdir(parents=True, exist_ok=True)
        make(work.content / name)
    (work.out / "a/folder.png").mkdir(parents=True)
    (work.out / "a/file").write_bytes(b"precious")


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("overwrite", [False, True])
def test_no_file_stops_the_others(overwrite, work):
    in_the_way(work)
    sentences = said(replace(work, overwrite=overwrite))
    assert sentences[-1] == f"2 stylized, 0 were there already, 7 passed over, in {work.out}."
    assert there(work.out) == ["a/file", "b/good.png", "b/grey.png"]
    assert (work.out / "a/file").read_bytes() == b"precious"
    passed = [sentence for sentence in sentences if sentence.startswith("Passed over: ")]
    for name in ("broken", "empty", "tiny", "narrow", "unseen", "folder.png", "a/file"):
        assert sum(name in sentence for sentence in passed) >= 1, name
    assert any("transparent everywhere" in sentence for sentence in passed)
    assert any("a file is in the way" in sentence for sentence in passed)
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in sentences)


@pytest.mark.usefixtures("fake")
def test_what_is_evidently_no_image_is_named_but_not_without_end(work):
    image(work.content / "a.png")
    for number in range(9):
        (work.content / f"{number}.txt").write_text("no image")
    sentences = said(work)
    assert sum("txt is not an image" in sentence for sentence in sentences) == 5
    assert "And 4 more that are no images." in sentences
    assert "9 passed over" in sentences[-1]


FAULTS = [
    (StyleError("painting broke down."), "broke down"),
    (TooLargeError("64x64 pixels need 9 GB of memory."), "9 GB"),
    (MemoryError(), "more memory is needed"),
    (torch.OutOfMemoryError("CUDA out of memory."), "more memory is needed"),
    (RuntimeError("[enforce fail] not enough memory: you tried to allocate 9 bytes"), "memory"),
    (OSError(errno.EACCES, "Permission denied"), "permission is denied"),
    (ImageError("is no image."), "no image"),
]


@pytest.mark.parametrize(("fault", "words"), FAULTS, ids=lambda f: type(f).__name__)
def test_a_fault_of_one_image_is_said_and_passed_over(fault, words, work, monkeypatch):
    def failing(photograph, *others):
        if photograph.longer_side == 30:
            raise fault
        yield from quickly(photograph, *others)

    monkeypatch.setattr(files, "repaint", failing)
    image(work.content / "a.png", 30)
    image(work.content / "b.png")
    sentences = said(work)
    assert there(work.out) == ["b.png"]
    (why,) = [sentence for sentence in sentences if sentence.startswith("Passed over")]
    assert words in why
    assert "a.png" in why
    assert sentences[-1].startswith("1 stylized, 0 were there already, 1 passed over")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
@pytest.mark.usefixtures("fake")
def test_a_fault_of_all_stops_at_once(number, work, monkeypatch):
    image(work.content / "a.png")
    image(work.content / "b.png")
    flush, calls = atomic.flush, []

    def full(path):
        calls.append(path)
        if len(calls) == 2:
            raise OSError(number, os.strerror(number), str(path))
        flush(path)

    monkeypatch.setattr(atomic, "flush", full)
    with pytest.raises(PlaceError, match=r"b\.png cannot be used"):
        said(work)
    assert [path.name for path in work.out.iterdir()] == ["a.png"], "nothing half-written"
    monkeypatch.undo()
    monkeypatch.setattr(files, "repaint", quickly)
    assert said(work)[-1].startswith("1 stylized, 1 was there already")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"styles": (Path("no.jpg"),)}, r"no\.jpg"),
        ({"bits": 12}, "--bits 12"),
        ({"settings": StyleSettings(weights="1,2")}, "--weights"),
        ({"settings": StyleSettings(style_layers="relu9_9")}, "is no layer"),
        ({"masks": ((Path("mask.png"), None),)}, r"mask\.png"),
        ({"settings": StyleSettings(device="cuda")}, "has no cuda device"),
    ],
)
@pytest.mark.usefixtures("fake")
def test_mistakes_show_before_the_first_image(change, message, work, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    image(work.content / "a.png")
    with pytest.raises(Exception, match=message):
        next(stylize_folder(work.content, replace(work, **change)))
    assert not work.out.exists()


def test_a_style_that_cannot_be_seen_stops_a_batch(work, tmp_path):
    image(work.content / "a.png")
    Image.new("RGBA", (40, 40), (9, 9, 9, 0)).save(tmp_path / "style.png")
    with pytest.raises(ImageError, match=r"style\.png is transparent everywhere"):
        said(work)


@pytest.mark.usefixtures("fake")
def test_nothing_stylized_is_an_error_and_leaves_no_folder(work):
    (work.content / "deeper").mkdir(parents=True)
    (work.content / "deeper/a.png").write_bytes(b"no image")
    with pytest.raises(FolderError, match="no image that can be stylized"):
        said(work)
    assert not work.out.exists()


def spellings(folder):
    link = folder.with_name("link")
    link.symlink_to(folder)
    return [folder, folder / ".", folder / ".." / folder.name, link, Path(os.path.relpath(folder))]


@pytest.mark.usefixtures("fake")
def test_the_folder_itself_is_no_place_for_its_results(work):
    image(work.content / "a.png")
    for out in spellings(work.content):
        with pytest.raises(SettingsError, match="is the folder of photographs itself"):
            said(replace(work, out=out, overwrite=True))
    assert there(work.content) == ["a.png"]


@pytest.mark.usefixtures("fake")
def test_a_folder_below_out_is_stylized_and_no_photograph_is_replaced(work):
    """Photographs in OUT/in: the result of in/in/a.png would be the photograph in/a.png."""
    image(work.content / "a.png")
    image(work.content / "in/a.png", seed=1)
    before = (work.content / "a.png").read_bytes()
    for overwrite in (False, True):
        above = replace(work, out=work.content.parent, overwrite=overwrite)
        sentences = said(above)
        assert any("in/a.png is one of the photographs" in sentence for sentence in sentences)
        assert "1 passed over" in sentences[-1]
        assert (work.content / "a.png").read_bytes() == before


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("out", ["file", "file/below"])
def test_a_file_is_no_folder(out, work, tmp_path):
    image(work.content / "a.png")
    (tmp_path / "file").write_bytes(b"precious")
    with pytest.raises(PlaceError, match="a file is in the way where a folder should be"):
        said(replace(work, out=tmp_path / out))
    assert (tmp_path / "file").read_bytes() == b"precious"


@pytest.mark.usefixtures("fake")
def test_unwritable_folders_are_said_so(work, monkeypatch):
    for name in ("a/a.png", "b/b.png"):
        image(work.content / name)
    touch = Path.touch

    def denied(path, *arguments, **named):
        if path.parent == forbidden:
            raise OSError(errno.EACCES, "Permission denied", str(path))
        touch(path, *arguments, **named)

    monkeypatch.setattr(Path, "touch", denied)  # whoever tests as root may write anywhere
    forbidden = work.out / "a"
    sentences = said(work)
    assert there(work.out) == ["b/b.png"]
    assert any("a.png cannot be used: permission is denied" in s for s in sentences)
    forbidden = work.out
    with pytest.raises(PlaceError, match="permission is denied"):
        said(work)


@pytest.mark.usefixtures("fake")
def test_a_batch_that_was_stopped_goes_on_over_its_own_leftovers_alone(work):
    kept = replace(work, every=2, settings=replace(QUICK, preset="lesson"))
    for name in ("a", "b"):
        image(work.content / f"{name}.png")
    events = stylize_folder(work.content, kept)
    iterations = (event for event in events if isinstance(event, StyleIteration))
    assert [next(iterations).iteration for _ in range(6)][-1] == 6
    events.close()
    assert there(work.out) == ["a-1.png", "a-frames/00002.png", "a-frames/00004.png",
                               "a-frames/00006.png"]  # fmt: skip
    (work.out / "b.gif").write_bytes(b"precious")
    sentences = said(kept)
    assert sentences[-1].startswith("1 stylized, 0 were there already, 1 passed over")
    assert any("b.gif is there already, and stays" in sentence for sentence in sentences)
    assert (work.out / "b.gif").read_bytes() == b"precious"
    assert said(replace(kept, overwrite=True))[-1].startswith("2 stylized")
    frames = [f"{stem}-frames/{n:05d}.png" for stem in "ab" for n in range(2, 13, 2)]
    others = [f"{stem}{end}" for stem in "ab" for end in (".png", "-1.png", "-2.png", ".gif")]
    assert there(work.out) == sorted(frames + others)


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("number", HELD)
@pytest.mark.parametrize("after", [1, 4, 6])
def test_a_signal_leaves_whole_files_alone(number, after, work):
    for name in ("a", "b"):
        image(work.content / f"{name}.png")
    iterations = []

    def stopped():
        for event in stylize_folder(work.content, replace(work, every=2)):
            iterations.extend([event] * isinstance(event, StyleIteration))
            if len(iterations) == after and isinstance(event, StyleIteration):
                os.kill(os.getpid(), number)

    with pytest.raises((KeyboardInterrupt, SystemExit)):
        stopped()
    found = [path for path in work.out.rglob("*") if path.is_file()]
    for path in found:
        with Image.open(path) as whole:
            whole.load()
    assert (work.out / "a.png" in found) == (after > 4)
    assert work.out / "b.png" not in found
    assert said(replace(work, every=2))[-1].startswith(
        "1 stylized, 1 was" if after > 4 else "2 stylized, 0 were"
    )


@pytest.mark.usefixtures("fake")
def test_a_new_film_replaces_all_of_the_old_one(work):
    content = image(work.content / "a.png")
    one = replace(work, content=content, out=work.content / "o.png")
    [*stylize_file(replace(one, every=1))]
    [*stylize_file(replace(one, every=3))]
    assert there(work.content) == ["a.png", "o-frames/00003.png", "o.png"]


@pytest.mark.usefixtures("fake")
def test_a_film_that_cannot_be_written_does_not_take_the_image_with_it(work, monkeypatch):
    content = image(work.content / "a.png")
    one = replace(work, content=content, out=work.content / "o.png", every=1)

    def full(*arguments):
        raise PlaceError("the disk is full.")

    monkeypatch.setattr("ganvas.style.film.write_gif", full)
    with pytest.raises(PlaceError, match="disk is full"):
        [*stylize_file(one)]
    assert settings_in(one.out).settings == QUICK


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("overwritten", ["photo.png", "style.png", "mask.png", "weights.png"])
@pytest.mark.parametrize("by", ["out", "link", "out-1.png", "out.gif"])
def test_no_image_is_stylized_over_what_it_is_made_of(overwritten, by, tmp_path):
    inputs, out = {}, tmp_path / "out.png"
    for name in ("photo.png", "style.png", "mask.png", "weights.png"):
        beside = name == overwritten and by in ("out-1.png", "out.gif")
        inputs[name] = tmp_path / (by if beside else name)
        image(tmp_path / "made.png").replace(inputs[name])
    if by == "out":
        out = tmp_path / "." / overwritten
    if by == "link":
        out.symlink_to(inputs[overwritten])
    photo, style, mask, weights = inputs.values()
    settings = replace(QUICK, preset="lesson")
    work = Work(photo, (style,), out, settings, ((mask, None),), weights, every=2)
    before = {path: path.read_bytes() for path in inputs.values()}
    with pytest.raises(SettingsError, match="would replace"):
        [*stylize_file(work)]
    assert before == {path: path.read_bytes() for path in inputs.values()}


def test_a_frame_is_not_stylized_over_while_it_is_read(tmp_path):
    frame = image(tmp_path / "out-frames/00002.png")
    work = Work(frame, (frame,), tmp_path / "out.png", QUICK, every=2)
    with pytest.raises(SettingsError, match="would replace the photograph itself"):
        next(stylize_file(work))


LESSON = replace(QUICK, preset="lesson")


@pytest.mark.parametrize(
    ("out", "change", "in_the_way", "message"),
    [
        ("out.png", {}, "out.png/", r"out\.png is a folder; name the image"),
        ("folder", {}, "folder/", "folder is a folder; name the image"),
        ("file/out.png", {}, "file", "there is no folder"),
        ("none/out.png", {}, "file", "there is no folder"),
        ("out.png", {"every": 2}, "out-frames", "out-frames cannot be used: a file is in the way"),
        ("out.png", {"every": 2}, "out.gif/", r"out\.gif is a folder"),
        ("out.png", {"settings": LESSON}, "out-2.png/", r"out-2\.png is a folder"),
    ],
)
def test_every_place_is_checked_before_the_work(
    out, change, in_the_way, message, tmp_path, monkeypatch
):
    def never(*arguments):
        raise AssertionError("no work is begun")

    monkeypatch.setattr(files, "repaint", never)
    photo, hindrance = image(tmp_path / "photo.png"), tmp_path / in_the_way
    if in_the_way.endswith("/"):
        hindrance.mkdir()
    else:
        hindrance.write_bytes(b"precious")
    work = replace(Work(photo, (photo,), tmp_path / out, QUICK), **change)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises((PlaceError, SettingsError), match=message):
        [*stylize_file(work)]
    assert sorted(tmp_path.rglob("*")) == before


def test_a_format_that_is_too_small_is_said_before_the_work(tmp_path, monkeypatch):
    photo = image(tmp_path / "photo.png")
    settings = StyleSettings(size=20_000)
    with pytest.raises(SettingsError, match=r"\.webp holds at most 16383 pixels a side"):
        [*stylize_file(Work(photo, (photo,), tmp_path / "out.webp", settings))]


def test_an_image_that_does_not_fit_as_numbers_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "available", lambda: 1000)
    with pytest.raises(ImageError, match=r"photo\.png has 24x24 pixels: too large"):
        images.open_image(image(tmp_path / "photo.png"))


@pytest.mark.usefixtures("fake")
def test_places_that_nobody_named(tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)
    image(tmp_path / "photos/a.png")
    image(tmp_path / "p.png")
    assert run("style", "photos", "p.png")[0] == 0
    assert there(tmp_path / "styled") == ["a.png"]
    assert run("style", "photos/a.png", "p.png")[0] == 0
    assert (tmp_path / "styled.png").is_file()
    status, _, err = run("style", "photos/a.png", "p.png", "--out", "photos/../photos/a.png")
    assert (status, err) == (
        1,
        "ganvas: --out photos/../photos/a.png would replace the photograph itself, photos/a.png; "
        "choose another name.\n",
    )
    for out, message in (
        ("photos", "is the folder of photographs itself"),
        ("p.png", "in the way"),
    ):
        status, _, err = run("style", "photos", "p.png", "--out", out, "--overwrite")
        assert (status, err.count("\n")) == (1, 1)
        assert message in err
