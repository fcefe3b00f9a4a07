"""A place that cannot be written: one sentence from every command, before the work, and nothing
left behind."""

import os
import sys
from pathlib import Path

import pytest

from ganvas import cli
from ganvas.pretrained.examples import EXAMPLES

FLAGS = [
    "--size", "16", "--batch", "4", "--latent", "8", "--width", "4", "--images", "40",
    "--samples", "4",
]  # fmt: skip
PAINT = ["--size", "64", "--preset", "draft", "--iterations", "1"]


@pytest.fixture
def trained(copy_of_run, tmp_path):
    return copy_of_run(tmp_path / "run", *FLAGS, "--probe-every", 16)


# Every command that writes: what it is given, and the option that says where, for a file or folder.
FOLDERS = {
    "train": lambda images, _: ("train", images, *FLAGS, "--out"),
    "sample": lambda _, run: ("sample", run, "--count", 1, "--out"),
    "sample --grid": lambda _, run: ("sample", run, "--count", 1, "--grid", "--out"),
    "style": lambda images, _: ("style", images, EXAMPLES["night_cafe"], *PAINT, "--out"),
    "demo": lambda _, __: ("demo", "--for", "1s", "--out"),
}
FILES = {
    "data --sheet": lambda images, _: ("data", images, "--size", 16, "--sheet"),
    "doctor --html": lambda _, run: ("doctor", run, "--html"),
    "evaluate --strip": lambda images, run: (
        "evaluate", run, "--against", images, "--count", 40, "--strip",
    ),
    "walk": lambda _, run: ("walk", run, "--frames", 4, "--out"),
    "export": lambda _, run: ("export", run, "--out"),
    "style": lambda _, __: ("style", EXAMPLES["moose"], EXAMPLES["night_cafe"], *PAINT, "--out"),
}  # fmt: skip
ENDINGS = {"walk": ".gif", "export": ".safetensors", "doctor --html": ".html"}


def refused(run, *arguments):
    status, out, err = run(*arguments)
    assert status in (cli.FAILURE, cli.USAGE), (out, err)
    assert "Traceback" not in err
    lines = [line for line in err.splitlines() if line.startswith(("ganvas: ", "Error: "))]
    assert len(lines) == 1
    assert len(lines[0]) < 600
    return lines[0]


def listing(place):
    return {path: path.stat().st_size for path in place.rglob("*")}


@pytest.mark.parametrize("command", FOLDERS)
@pytest.mark.parametrize("place", ["file", "file/below", "file/below/that", "a" * 300, "/proc/x"])
def test_a_folder_that_cannot_be(command, place, images, trained, tmp_path, run):
    if place.startswith("/proc") and sys.platform != "linux":
        pytest.skip("/proc is Linux's")
    (tmp_path / "file").write_text("x")
    before = listing(tmp_path)
    said = refused(run, *FOLDERS[command](images, trained), tmp_path / place)
    assert Path(place).name[:40] in said or "file" in said
    assert listing(tmp_path) == before


@pytest.mark.parametrize("command", FILES)
@pytest.mark.parametrize("place", ["missing/x", "file/x", "folder", "a" * 300, "/proc/x"])
def test_a_file_that_cannot_be(command, place, images, trained, tmp_path, run):
    if place.startswith("/proc") and sys.platform != "linux":
        pytest.skip("/proc is Linux's")
    ending = ENDINGS.get(command, ".png")
    (tmp_path / "file").write_text("x")
    (tmp_path / f"folder{ending}").mkdir()
    before = listing(tmp_path)
    refused(run, *FILES[command](images, trained), f"{tmp_path / place}{ending}")
    assert listing(tmp_path) == before


@pytest.mark.parametrize("command", ["data --sheet", "evaluate --strip", "walk"])
def test_somebody_elses_image_is_never_replaced(command, images, trained, tmp_path, run):
    path = tmp_path / f"holiday{ENDINGS.get(command, '.png')}"
    path.write_bytes((images / "0.png").read_bytes())
    said = refused(run, *FILES[command](images, trained), path)
    assert "ganvas has not made it" in said
    assert path.read_bytes() == (images / "0.png").read_bytes()


def test_samples_replace_neither_photographs_nor_other_samples(images, trained, tmp_path, run):
    (tmp_path / "0001.png").write_bytes((images / "0.png").read_bytes())
    said = refused(run, "sample", trained, "--count", 3, "--out", tmp_path)
    assert "0001.png exists" in said
    assert not (tmp_path / "0000.png").exists()
    assert run("sample", trained, "--count", 2, "--out", tmp_path / "s")[0] == 0
    assert run("sample", trained, "--count", 3, "--out", tmp_path / "s")[0] == 0
    first = (tmp_path / "s" / "0000.png").read_bytes()
    assert "add --overwrite" in refused(run, "sample", "digits", "--out", tmp_path / "s")
    assert (tmp_path / "s" / "0000.png").read_bytes() == first
    assert run("sample", "digits", "--out", tmp_path / "s", "--overwrite")[0] == 0
    assert (tmp_path / "s" / "0000.png").read_bytes() != first


def test_a_read_only_cache(images, tmp_path, run, monkeypatch):
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    for command in (("data", images), ("train", images, *FLAGS, "--out", tmp_path / "run")):
        assert "cache" in refused(run, *command)
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_run(trained, run):
    trained.chmod(0o500)
    try:
        refused(run, "train", "--out", trained, "--resume", "--images", 60)
        refused(run, "evaluate", trained, "--count", 40)
    finally:
        trained.chmod(0o700)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are POSIX")
@pytest.mark.parametrize(
    ("ending", "arguments"),
    [
        ("zip", ("data", "{}")),
        ("zip", ("train", "{}", "--out", "run")),
        ("png", ("style", "{}", EXAMPLES["night_cafe"], "--out", "o.png")),
        ("png", ("style", EXAMPLES["moose"], "{}", "--out", "o.png")),
        ("png", ("style", EXAMPLES["moose"], EXAMPLES["night_cafe"], "--mask", "{}")),
        ("png", ("style", EXAMPLES["moose"], EXAMPLES["night_cafe"], "--like", "{}")),
        ("pt", ("style", EXAMPLES["moose"], EXAMPLES["night_cafe"], "--features", "{}")),
        ("safetensors", ("style", EXAMPLES["moose"], EXAMPLES["night_cafe"], "--features", "{}")),
        ("yaml", ("train", "--config", "{}", "--out", "run")),
        ("safetensors", ("train", "digits", "--from", "{}", "--out", "run")),
        ("safetensors", ("sample", "{}")),
        ("pt", ("evaluate", "digits", "--features", "{}")),
        ("onnx", ("evaluate", "digits", "--features", "{}")),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(map(str, value[:1])),
)
def test_a_pipe_is_never_waited_for(ending, arguments, run, tmp_path, monkeypatch):
    """Nobody writes into it: reading would take for ever, and signals would not end it."""
    monkeypatch.chdir(tmp_path)
    pipe = tmp_path / f"pipe.{ending}"
    os.mkfifo(pipe)
    status, _, said = run(*(str(one).format(pipe) for one in arguments))
    assert status == 1, said
    assert len(said.strip().splitlines()) == 1
    assert "pipe" in said
    assert os.listdir(tmp_path) == [pipe.name]
