"""Every default is decided in one function, and every value knows where it comes from."""

import json

import pytest
import yaml

import ganvas
from ganvas.config import Origin, Request, resolve
from ganvas.events import Configured
from ganvas.models import MODELS, BudgetRow
from ganvas.runs.errors import RunError
from ganvas.runtime.validation import SettingsError

GREY, COLOUR = (1, 32, 32), (3, 64, 64)
ROW = BudgetRow(width=16, batch=64, steps=0, upsampling="learnt", lr=0.04)


def origins(config, *paths):
    return [str(config.origins.get(path, Origin.DEFAULT)) for path in paths]


@pytest.mark.parametrize(
    ("model", "said", "row", "lr_d", "origin"),
    [
        ("dcgan", {}, None, 0.002, "images"),
        ("compact", {}, None, 0.02, "recipe"),
        ("compact", {}, ROW, 0.04, "plan"),
        ("compact", {"lr_d": 0.5}, ROW, 0.5, "user"),
        ("dcgan", {"lr_d": 0.5}, None, 0.5, "user"),
    ],
)
def test_the_learning_rate_of_the_discriminator(model, said, row, lr_d, origin):
    config = resolve(Request("digits", model, {"game": said}), GREY, 10_000, row=row)
    assert config.game.lr_d == lr_d
    assert origins(config, "game.lr_d") == [origin]


def test_each_value_says_where_it_comes_from():
    said = {"training": {"seed": 7}, "game": {"r2": 1.0}}
    config = resolve(Request("emoji", None, said), COLOUR, 500, bf16=True, row=ROW)
    paths = (
        "training.seed", "game.r2", "game.r1", "game.augment", "game.loss", "network.width",
        "training.batch", "training.precision", "data.size", "training.samples", "model",
    )  # fmt: skip
    assert origins(config, *paths) == [
        "user", "user", "images", "images", "recipe", "plan",
        "plan", "device", "images", "default", "default",
    ]  # fmt: skip
    assert config.training.precision == "bf16"
    assert config.game.r1 == 0.4


def discriminator(shape, model=None, **said):
    config = resolve(Request("emoji", model, {"game": said}), shape, 10_000)
    return config.game.discriminator, *origins(config, "game.discriminator")


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((3, 32, 48), ("both", "recipe")),
        ((4, 128, 128), ("both", "recipe")),
        ((1, 64, 64), ("own", "images")),
        ((3, 16, 64), ("own", "images")),
    ],
)
def test_colours_are_learnt_through_a_pretrained_network_too(shape, expected):
    assert discriminator(shape) == expected
    assert discriminator(shape, discriminator="pretrained") == ("pretrained", "user")


@pytest.mark.parametrize("model", [name for name in MODELS if name not in ("compact", "vae")])
def test_other_models_learn_through_their_own_discriminator(model):
    assert discriminator((3, 64, 64), model)[0] == "own"


@pytest.mark.parametrize("model", MODELS)
def test_what_was_said_gives_the_same_configuration_again(model):
    said = {"training": {"images": 100, "seed": 3}, "network": {"width": 8}}
    config = resolve(Request("digits", model, said), GREY, 10_000)
    assert config.request == Request("digits", model, said)
    assert resolve(config.request, GREY, 10_000) == config


@pytest.mark.parametrize("model", MODELS)
def test_nothing_is_left_to_be_decided(model):
    config = resolve(Request("digits", model), GREY, 100)
    open_ones = {
        f"{section}.{name}"
        for section, values in config.as_nested().items()
        if isinstance(values, dict)
        for name, value in values.items()
        if value is None or value == "auto"
    }
    # Limits that there are not, and what is for the plan or another machine to choose.
    assert open_ones <= {
        "data.only", "data.max_aspect", "training.images", "training.start", "training.memory",
        "training.accumulate", "training.threads", "training.device",
        "evaluation.evaluate_every",
    }  # fmt: skip


def test_a_run_needs_a_source():
    with pytest.raises(SettingsError, match="a run needs a source"):
        resolve(Request(), GREY, 10)


SMALL = {"size": 16, "batch": 4, "width": 4, "latent": 8, "images": 24, "samples": 4}


def test_a_dry_run_decides_everything_and_writes_nothing(images, tmp_path):
    *_, last = ganvas.train(images, tmp_path / "run", dry_run=True, seed=7, **SMALL)
    assert isinstance(last, Configured)
    assert last.settings["training.seed"] == (7, "user")
    assert last.settings["game.lr_g"] == (0.02, "recipe")
    assert last.settings["game.augment"] == ("shift", "images")
    assert last.settings["training.threads"][1] == "plan"
    assert not (tmp_path / "run").exists()


def test_a_dry_run_says_what_a_run_would_say(images, tmp_path):
    with pytest.raises(ganvas.models.UnsuitableSizeError):
        list(ganvas.train(images, tmp_path / "run", dry_run=True, size=22))


def test_a_dry_run_refuses_what_a_run_refuses(images, tmp_path):
    out = tmp_path / "run"
    with pytest.raises(ganvas.errors.GanvasError, match="--from digits"):
        list(ganvas.train(images, out, dry_run=True, start="digits", size=32))
    list(ganvas.train(images, out, **SMALL))
    with pytest.raises(RunError, match="already holds a run"):
        list(ganvas.train(images, out, dry_run=True, **SMALL))
    with pytest.raises(RunError, match="cannot change"):
        list(ganvas.train(out=out, resume=True, dry_run=True, width=8))


def test_a_dry_run_of_a_resumption_says_what_it_would_do(images, tmp_path):
    out = tmp_path / "run"
    list(ganvas.train(images, out, **SMALL))
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    *_, dry = ganvas.train(out=out, resume=True, dry_run=True, budget="1s")
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    again = ganvas.train(out=out, resume=True, budget="1s")
    (real,) = (event for event in again if isinstance(event, Configured))
    assert dry == real  # the number of images follows from the rate of the run so far, and no clock
    assert dry.settings["training.images"][1] == "plan"


def test_the_terminal_shows_values_with_their_origin(images, tmp_path, run):
    flags = [f"--{name}={value}" for name, value in SMALL.items()]
    status, out, _ = run("train", images, "--out", tmp_path / "run", "--dry-run", *flags)
    assert status == 0
    assert "width 4 · you" in out
    assert "loss relativistic · recipe" in out
    assert "augment shift · images" in out
    assert "save_every" not in out  # the same everywhere


def test_run_yaml_says_it_in_comments_and_reads_the_same(images, tmp_path):
    list(ganvas.train(images, tmp_path / "run", seed=7, **SMALL))
    text = (tmp_path / "run" / "run.yaml").read_text()
    assert "seed: 7  # you\n" in text
    assert "lr_d: 0.02  # recipe\n" in text
    assert yaml.safe_load(text)["game"]["lr_d"] == 0.02


def test_a_resumed_run_remembers_what_values_came_from(images, tmp_path):
    out = tmp_path / "run"
    list(ganvas.train(images, out, seed=7, **SMALL))
    events = list(ganvas.train(out=out, resume=True, images=32, lr_d=0.01))
    (found,) = (event.settings for event in events if isinstance(event, Configured))
    assert found["game.lr_g"] == (0.02, "recipe")
    assert found["game.augment"] == ("shift", "images")
    assert found["game.lr_d"] == (0.01, "user")
    assert found["training.images"] == (32, "user")


def test_what_the_doctor_changed_says_so(images, tmp_path, signed):
    out = tmp_path / "run"
    list(ganvas.train(images, out, **SMALL))
    (folder,) = (out / "checkpoints").iterdir()
    metadata = json.loads((folder / "metadata.json").read_bytes())
    metadata["state"]["live"]["r1"] = 0.75
    signed(folder, metadata=json.dumps(metadata).encode())
    *_, last = ganvas.train(out=out, resume=True, dry_run=True)
    assert last.settings["game.r1"] == (0.75, "monitor")


def test_a_resumed_run_shows_no_more_than_it_did(images, tmp_path, run):
    flags = [f"--{name}={value}" for name, value in SMALL.items()]
    first = run("train", images, "--out", tmp_path / "run", *flags)[1]
    again = run("train", "--resume", "--out", tmp_path / "run", "--images", 32)[1]

    def block(out):
        lines = [line for line in out.splitlines() if " · " in line]
        return {word.strip() for line in lines for word in line.split("  ")}

    assert block(again) - block(first) == {"images 32 · you"}
