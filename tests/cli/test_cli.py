"""The command line as people use it: what it prints, writes and returns."""

import json
import re

import pytest
from PIL import Image

from ganvas import cli
from ganvas.pretrained.examples import EXAMPLES
from ganvas.runtime.validation import options_of
from ganvas.style.settings import StyleSettings

PAINT = {"size": 64, "preset": "draft", "iterations": 2}
FLAGS = [
    "--size", "16", "--batch", "4", "--latent", "8", "--width", "4", "--images", "40",
    "--samples", "4",
]  # fmt: skip


@pytest.fixture
def trained(copy_of_run, tmp_path):
    return copy_of_run(tmp_path / "run", *FLAGS)


def test_help_lists_every_command(run):
    status, out, _ = run("--help")
    assert status == 0
    assert all(name in out for name in cli.COMMANDS)


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_explains_itself(command, run):
    status, out, _ = run(command, "--help")
    assert status == 0
    assert "Usage: ganvas" in out


def test_train_reports_and_says_what_is_next(images, tmp_path, run):
    (images / "broken.jpg").write_bytes(b"\xff\xd8\xff not an image")
    status, out, _ = run("train", images, "--out", tmp_path / "run", *FLAGS)
    assert status == 0
    assert "12 images from" in out
    assert "refused broken.jpg" in out
    assert "Finished after 40 images" in out
    assert f"ganvas sample {tmp_path / 'run'}" in out


def test_no_bar_is_drawn_where_nobody_watches(images, tmp_path, run, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # as notebooks and CI set it
    _, out, _ = run("train", images, "--out", tmp_path / "run", *FLAGS)
    assert "Finished after 40 images" in out
    assert not re.search(r"\x1b\[\d*[KAF]", out), "nothing moves the cursor"


def test_a_run_file_and_overrides_start_another_run(trained, tmp_path, run):
    arguments = ("--config", trained / "run.yaml", "--out", tmp_path / "other")
    status, out, _ = run("train", *arguments, "-o", "training.images=20", "-o", "game.beta1=0")
    assert status == 0
    assert "Finished after 20 images" in out
    described = (tmp_path / "other" / "run.yaml").read_text()
    assert "beta1: 0.0" in described
    assert "width: 4" in described


def test_a_run_is_resumed_without_naming_anything_again(trained, run):
    status, out, _ = run("train", "--out", trained, "--resume", "--images", 60)
    assert status == 0
    assert "Changed since the run began: training.images 40 -> 60." in out
    assert "The run goes on after step 10, 40 of 60 images." in out
    assert "Finished after 60 images" in out


def test_names_with_brackets_are_shown_as_they_are(images, tmp_path, run):
    source = images.rename(tmp_path / "holiday [2024]")
    _, out, _ = run("train", source, "--out", tmp_path / "run", *FLAGS)
    assert "holiday [2024]" in out


def test_sample_writes_one_numbered_file_per_image(trained, tmp_path, run):
    status, out, _ = run("sample", trained, "--count", 3, "--seed", 7, "--out", tmp_path / "new")
    assert status == 0
    assert "3 images in" in out
    assert [p.name for p in sorted((tmp_path / "new").iterdir())] == [
        "0007.png",
        "0008.png",
        "0009.png",
    ]
    with Image.open(tmp_path / "new" / "0008.png") as image:
        assert image.size == (16, 16)
        assert image.text["ganvas.seed"] == "8"


def test_a_seed_is_the_same_image_whatever_is_asked_for_with_it(trained, tmp_path, run):
    run("sample", trained, "--count", 3, "--out", tmp_path / "a")
    run("sample", trained, "--count", 1, "--seed", 2, "--out", tmp_path / "b")
    first, second = (Image.open(tmp_path / name / "0002.png") for name in "ab")
    with first, second:
        assert first.tobytes() == second.tobytes()


def test_sample_writes_one_sheet_on_request(trained, tmp_path, run):
    status, _, _ = run("sample", trained, "--count", 5, "--grid", "--out", tmp_path / "new")
    assert status == 0
    (sheet,) = (tmp_path / "new").iterdir()
    with Image.open(sheet) as image:
        assert image.width > 3 * 16


def test_data_reports_in_words_and_in_json(images, tmp_path, run):
    (images / "empty.png").touch()
    status, out, _ = run("data", images, "--size", 16, "--sheet", tmp_path / "sheet.png")
    assert status == 0
    assert "12 usable images" in out
    assert "empty.png" in out
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 16
    _, out, _ = run("data", images, "--size", 16, "--json")
    report = json.loads(out)
    assert report["usable"] == 12
    assert report["refused"][0]["name"] == "empty.png"


def test_the_cache_can_be_cleared(images, run):
    run("data", images, "--size", 16)
    status, out, _ = run("data", "--clear-cache")
    assert status == 0
    assert "deleted" in out
    assert "0 prepared sets" in run("data", "--clear-cache")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "nowhere-to-be-found"), "there is no"),
        (("train", "digits", "--for", "soon"), "--for soon"),
        (("train", "digits", "--model", "dcgna"), "did you mean 'dcgan'?"),
        (("train", "digits", "--size", "20"), "try --size 16x16"),
        (("train", "digits", "--device", "cuda"), "use --device auto"),
        (("sample", "nowhere"), "there is no run, checkpoint or exported generator 'nowhere'"),
        (("data", "nowhere"), "there is no"),
        (("data",), "say which source"),
    ],
)
def test_mistakes_are_one_sentence_and_a_status(arguments, message, tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    status, _, err = run(*arguments)
    assert status == 1
    assert message in err
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_a_wrong_option_is_a_usage_error(run):
    status, _, err = run("train", "digits", "--learning-speed", "3")
    assert status == cli.USAGE
    assert "--learning-speed" in err


def test_the_demo_leaves_new_digits_and_a_painting(tmp_path, run, monkeypatch, ticking):
    ticking(0.1)
    monkeypatch.setattr("ganvas.cli.demo.STYLE", StyleSettings(**PAINT))
    status, out, _ = run("demo", "--out", tmp_path / "demo", "--for", "2s")
    assert status == 0
    assert "digits.png" in out
    with Image.open(tmp_path / "demo" / "digits.png") as sheet:
        assert sheet.width > 16 * 32
    with Image.open(tmp_path / "demo" / "moose.png") as stylized:
        assert stylized.width == 64
    status, _, err = run("demo", "--out", tmp_path / "demo", "--for", "2s")
    assert status == 1
    assert "choose another folder with --out" in err


QUICKLY = [word for name, value in PAINT.items() for word in (f"--{name}", value)]
PAIR = (EXAMPLES["moose"], EXAMPLES["night_cafe"])


def test_style_stylizes_and_says_so(tmp_path, run):
    out = tmp_path / "out.png"
    status, said, _ = run("style", *PAIR, "--out", out, *QUICKLY)
    assert status == 0
    assert "64x43 pixels in about" in said
    assert "with" in said
    assert "GB of memory" in said
    assert re.search(rf"Stylized after \d+:\d\d: {re.escape(str(out))}", said)
    with Image.open(out) as stylized:
        assert stylized.size == (64, 43)


def test_style_has_an_option_for_every_setting(run):
    _, said, _ = run("style", "--help-all")
    for option in options_of("style", StyleSettings):
        assert f"--{option.name} " in said, option.name


def test_a_stylized_image_repeats_itself(tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, source in zip(("photo.jpg", "painting.jpg"), PAIR, strict=True):
        (tmp_path / name).write_bytes(source.read_bytes())
    pixels = Image.new("L", (40, 30))
    pixels.paste(255, (0, 0, 20, 30))
    pixels.save("left.png")
    first = ["photo.jpg", "painting.jpg", "photo.jpg", "--weights", "3,1", "--mask", "left.png"]
    assert run("style", *first, "--out", "one.png", *QUICKLY)[0] == 0
    assert run("style", "--like", "one.png", "--out", "two.png")[0] == 0
    with Image.open("one.png") as one, Image.open("two.png") as two:
        assert one.info["ganvas.style"] == two.info["ganvas.style"]
        assert one.tobytes() == two.tobytes()
    changed = ("--strength", "1", "--seed", "4")
    assert run("style", "--like", "one.png", *changed, "--out", "three.png")[0] == 0
    with Image.open("one.png") as one, Image.open("three.png") as three:
        assert one.size == three.size
        assert one.tobytes() != three.tobytes()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    status, _, err = run("style", "--like", "../one.png", "--out", "four.png")
    assert (status, err) == (0, ""), "the images are found beside it"


@pytest.mark.parametrize(
    ("precious", "options"),
    [
        ("out.png", []),
        ("out-2.png", ["--preset", "lesson"]),
        ("out.gif", ["--every", "2"]),
        ("out-frames", ["--every", "2"]),
    ],
)
def test_nothing_is_replaced_unless_asked(precious, options, tmp_path, run):
    out, there = tmp_path / "out.png", tmp_path / precious
    if there.suffix:
        there.write_bytes(b"precious")
    else:
        there.mkdir()
    asked = ("style", *PAIR, "--out", out, *QUICKLY, *options)
    status, _, err = run(*asked)
    assert status == 1
    assert "--overwrite" in err
    assert [path.name for path in tmp_path.iterdir()] == [precious]
    assert run(*asked, "--overwrite")[0] == 0
    assert there.is_dir() or there.read_bytes() != b"precious"


def test_a_folder_is_stylized_into_a_folder(tmp_path, run):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.jpg").write_bytes(PAIR[0].read_bytes())
    (tmp_path / "in/bad.jpg").write_bytes(PAIR[0].read_bytes()[:900])
    status, said, _ = run("style", tmp_path / "in", PAIR[1], "--out", tmp_path / "out", *QUICKLY)
    assert status == 0
    assert "1 stylized, 0 were there already, 1 passed over" in said
    assert "bad.jpg" in said
    assert (tmp_path / "out/a.png").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((PAIR[0],), "ganvas style photo.jpg painting.jpg"),
        ((), "ganvas style photo.jpg painting.jpg"),
        (("missing.jpg", PAIR[1]), "missing.jpg cannot be opened"),
        ((PAIR[0], "missing.jpg"), "missing.jpg cannot be opened"),
        ((*PAIR, "--out", "out.gif"), "images are written as .png"),
        ((*PAIR, "--out", "none/out.png"), "there is no folder none"),
        ((*PAIR, "--mask", "=b.png"), "--mask takes CONTENT_MASK=STYLE_MASK"),
        ((*PAIR, "--mask", "missing.png"), "missing.png cannot be opened"),
        ((*PAIR, "--features", "missing.pth"), "missing.pth cannot be read"),
        ((*PAIR, "--like", "missing.png"), "--like missing.png cannot be read"),
        ((*PAIR, "--size", "20000", "--precision", "fp32"), "would fit"),
        ((*PAIR, "--device", "cuda"), "has no cuda device"),
        ((*PAIR, "--weights", "1,2"), "give 1 numbers"),
        ((*PAIR, "--style-layers", "relu7_1"), "is no layer"),
    ],
)
def test_mistakes_of_style_are_one_sentence(arguments, message, tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("ganvas.style.forecast._free", lambda device: 8e9)
    status, _, err = run("style", *arguments)
    assert status == 1
    assert message in err
    assert err.count("\n") == 1
    assert not [*tmp_path.iterdir()], "nothing half-written"


def test_an_old_flag_works_and_says_what_took_its_place(images, tmp_path, run):
    flags = ["--size", 16, "--batch", 4, "--width", 4, "--latent", 8, "--images", 8]
    out = tmp_path / "run"
    status, _, err = run("train", images, "--out", out, *flags, "--exam-every", 32)
    assert status == 0
    assert "--exam-every is called --probe-every now" in err
    assert "probe_every: 32  # you" in (out / "run.yaml").read_text()
    status, said, _ = run("train", "--help-all")
    assert "--probe-every" in said
    assert "--exam-every" not in said


def test_an_interruption_before_training_says_that_nothing_is_saved(
    images, tmp_path, run, monkeypatch
):
    def interrupted(*_, **__):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr("ganvas.cli.train.run.train", interrupted)
    status, _, err = run("train", images, "--out", tmp_path / "run")
    assert status == 130
    assert "Stopped before training began; nothing is saved." in err
    assert not (tmp_path / "run").exists()


def test_style_finds_a_photograph_below_a_home_folder(tmp_path, run, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.jpg").write_bytes(PAIR[0].read_bytes())
    (tmp_path / "styled.png").touch()
    _, _, err = run("style", "~/photo.jpg", "~/missing.jpg")
    assert "missing.jpg cannot be opened" in err
    assert "photo.jpg cannot" not in err
