"""sample, walk and mix: what they write, and how they refuse."""

import numpy as np
import pytest
from PIL import Image

from ganvas import cli
from ganvas.cli.seeds import numbers

SMALL = ["--size", "16", "--batch", "4", "--latent", "8", "--width", "4", "--samples", "4"]
FLAGS = [*SMALL, "--images", "12"]
ROUNDING = 1  # of 255: other numbers of images at once are summed in another order


@pytest.fixture(params=["stylegan", "dcgan"])
def trained(request, copy_of_run, tmp_path):
    run_dir = copy_of_run(tmp_path / "run", "--model", request.param, *FLAGS)
    return run_dir, request.param == "stylegan"


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


@pytest.mark.parametrize(
    ("written", "expected"),
    [("7", [7]), ("1-4,9", [1, 2, 3, 4, 9]), ("3, 1", [3, 1]), ("0-0", [0])],
)
def test_seeds_are_written_as_people_write_pages(written, expected):
    assert numbers(written) == expected


@pytest.mark.parametrize("written", ["", "a", "4-1", "1-", "-3", "1-99999999", "1..4"])
def test_seeds_that_are_none_are_a_usage_error(written, trained, run):
    status, _, err = run("walk", trained[0], "--seeds", written)
    assert status == cli.USAGE
    assert "Traceback" not in err


def test_seeds_name_the_images(trained, tmp_path, run):
    status, out, _ = run("sample", trained[0], "--seeds", "2-3,40", "--out", tmp_path / "new")
    assert status == 0
    assert "3 images" in out
    assert {p.name for p in (tmp_path / "new").iterdir()} == {"0002.png", "0003.png", "0040.png"}


def test_truncation_nought_is_one_image_for_all(trained, tmp_path, run):
    run_dir, has_styles = trained
    arguments = ("--seeds", "1-3", "--truncation", "0", "--out", tmp_path / "new")
    status, _, err = run("sample", run_dir, *arguments)
    if not has_styles:
        assert status == cli.FAILURE
        assert "--model stylegan" in err
        assert not (tmp_path / "new").exists()
        return
    first, second, third = (pixels(tmp_path / "new" / f"000{i}.png") for i in (1, 2, 3))
    assert (first == second).all()
    assert (first == third).all()
    run("sample", run_dir, "--seeds", "1", "--truncation", "1", "--out", tmp_path / "one")
    run("sample", run_dir, "--seeds", "1", "--out", tmp_path / "plain")
    assert (pixels(tmp_path / "one" / "0001.png") == pixels(tmp_path / "plain" / "0001.png")).all()


def test_a_walk_is_a_film_that_begins_with_its_first_seed(trained, tmp_path, run):
    film = tmp_path / "walk.gif"
    status, out, _ = run("walk", trained[0], "--seeds", "5,6", "--frames", 8, "--out", film)
    assert status == 0
    assert "8 frames through 2 images" in out
    run("sample", trained[0], "--seeds", "5", "--out", tmp_path)
    assert abs(pixels(film) - pixels(tmp_path / "0005.png")).mean() < 4


def test_a_walk_into_something_else_is_refused_before_any_work(tmp_path, run):
    status, _, err = run("walk", "nowhere", "--out", tmp_path / "walk.avi")
    assert status == cli.FAILURE
    assert ".mp4 or .gif" in err


def test_mixing_is_a_sheet_of_rows_and_columns(trained, tmp_path, run):
    run_dir, has_styles = trained
    sheet = tmp_path / "mix.png"
    status, out, err = run("mix", run_dir, "--rows", "1-2", "--cols", "5-7", "--out", sheet)
    if not has_styles:
        assert status == cli.FAILURE
        assert "--model stylegan" in err
        assert not sheet.exists()
        return
    assert status == 0
    assert "layers 3-5 of 0-5" in out
    shown = pixels(sheet)
    assert shown.shape == (3 * 18 + 2, 4 * 18 + 2, 3)
    tiles = shown[2:, 2:].reshape(3, 18, 4, 18, 3)[:, :16, :, :16].swapaxes(1, 2)
    assert (tiles[0, 0] == 255).all()
    for at, seed in (((0, 2), 6), ((2, 0), 2)):
        run("sample", run_dir, "--seeds", seed, "--out", tmp_path)
        assert np.abs(tiles[at] - pixels(tmp_path / f"000{seed}.png")).max() <= ROUNDING
    assert np.abs(tiles[1, 1] - tiles[1, 0]).max() > ROUNDING


@pytest.mark.parametrize("layers", ["0-6", "1,3", "x"])
def test_layers_that_there_are_not_are_a_usage_error(layers, trained, tmp_path, run):
    run_dir, has_styles = trained
    if has_styles:
        status, _, _ = run("mix", run_dir, "--layers", layers, "--out", tmp_path / "mix.png")
        assert status == cli.USAGE
        assert not (tmp_path / "mix.png").exists()


@pytest.mark.parametrize("out", ["mix.jpg", "nowhere/mix.png"])
def test_a_sheet_that_cannot_be_written_is_refused_before_any_work(out, tmp_path, run):
    status, _, err = run("mix", "no-run", "--out", tmp_path / out)
    assert status == cli.USAGE
    assert ".png" in err


@pytest.fixture
def conditional(images, tmp_path, run):
    for number, path in enumerate(sorted(images.glob("*.*"))):
        folder = images / ("cat" if number % 2 else "dog")
        folder.mkdir(exist_ok=True)
        path.rename(folder / path.name)
    status, _, _ = run(
        "train", images, "--model", "dcgan", "--labels", "folders", "--out", tmp_path / "run",
        *SMALL, "--images", "200",  # after three steps all is grey
    )  # fmt: skip
    assert status == 0
    return tmp_path / "run"


def test_a_model_with_labels_generates_what_it_is_asked_for(conditional, tmp_path, run):
    for label in ("cat", "dog"):
        run("sample", conditional, "--seeds", 1, "--label", label, "--out", tmp_path / label)
    cat, dog = (pixels(tmp_path / label / "0001.png") for label in ("cat", "dog"))
    assert (cat != dog).any()
    run("sample", conditional, "--seeds", 1, "--out", tmp_path / "any")
    assert (pixels(tmp_path / "any" / "0001.png") == dog).all(), "seed 1 is of class 1"
    status, _, err = run("sample", conditional, "--label", "catt", "--out", tmp_path / "none")
    assert status == cli.FAILURE
    assert "did you mean 'cat'?" in err
    status, _, _ = run("walk", conditional, "--label", "dog", "--out", tmp_path / "walk.gif")
    assert status == 0


def test_a_model_without_labels_says_so(trained, tmp_path, run):
    status, _, err = run("sample", trained[0], "--label", "cat", "--out", tmp_path / "new")
    assert status == cli.FAILURE
    assert "--labels folders" in err
