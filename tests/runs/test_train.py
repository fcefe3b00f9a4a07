"""Runs from the outside: folders, resumption, signals, mistakes."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from PIL import Image

import ganvas
from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.metadata import CheckpointError
from ganvas.config import Request, merge, nest
from ganvas.config import yaml as run_yaml
from ganvas.errors import GanvasError
from ganvas.events import Done, Notice, Planned, Prepared, Saved, Step
from ganvas.generate.pipeline import FallbackWarning
from ganvas.models import MODELS, UnsuitableSizeError
from ganvas.runs.build import build
from ganvas.runs.plan import choose_threads, make_plan
from ganvas.runs.resume import RunError
from ganvas.runtime import locking
from ganvas.runtime.locking import BusyError, locked
from ganvas.runtime.threads import using
from ganvas.training.adversarial import AdversarialTrainer

SMALL = {"size": 16, "batch": 4, "images": 40, "latent": 8, "width": 4, "samples": 4}
SAME = [word for name, value in SMALL.items() for word in (f"--{name}", value)]  # as flags


def finished(source, out, **options):
    return list(ganvas.train(source, out, **(SMALL | options)))


def tensors_of(out):
    return checkpoint.newest(out / "checkpoints")[0].all_tensors()


def same(first, second):
    assert first.keys() == second.keys()
    for name, tensors in first.items():
        assert all(torch.equal(tensor, second[name][key]) for key, tensor in tensors.items())


@pytest.mark.parametrize("model", MODELS)
def test_a_run_leaves_everything_that_was_promised(model, images, tmp_path):
    out = tmp_path / "run"
    events = finished(images, out, model=model, samples=64)
    assert isinstance(events[0], Prepared) or isinstance(events[-1], Done)
    assert events[-1].reason == "finished"
    shown = [e.images for e in events if isinstance(e, Step)]
    assert shown == (list(range(4, 41, 4)) if model != "progressive" else [16, 24, 28, 32, 36, 40])
    names = {path.name for path in out.iterdir() if not path.name.startswith(".")}
    assert names == {
        "run.yaml",
        "images.json",
        "real.png",
        "metrics.jsonl",
        "status.json",
        "losses.png",
        "progress.gif",
        "samples",
        "checkpoints",
    }
    grids = sorted((out / "samples").iterdir())
    assert len(grids) >= 5
    for path in [*grids, out / "real.png", out / "losses.png", out / "progress.gif"]:
        with Image.open(path) as image:
            image.load()
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert all(line["step"] for line in lines)
    assert any("score" in line for line in lines)


@pytest.mark.parametrize("model", MODELS)
def test_the_generator_that_is_loaded_is_the_averaged_one(model, copy_of_run, tmp_path):
    out = tmp_path / "run"
    copy_of_run(out, "--model", model, *SAME)
    pipeline = ganvas.load(out)
    generated_images = pipeline.sample(5, seed=3)
    assert generated_images.shape == (5, 3, 16, 16)
    assert generated_images.dtype == torch.float32
    assert generated_images.abs().max() <= 1
    assert torch.allclose(pipeline.sample(3, seed=5), generated_images[2:], atol=1e-5)
    average = tensors_of(out)["average"]
    assert all(torch.equal(average[k], v) for k, v in pipeline.generator.state_dict().items())


def test_a_run_file_starts_the_same_run_again(images, tmp_path):
    finished(images, tmp_path / "one", seed=5)
    described = run_yaml.read(tmp_path / "one" / "run.yaml")
    list(ganvas.train(None, tmp_path / "two", given=described))
    same(tensors_of(tmp_path / "one"), tensors_of(tmp_path / "two"))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_stopping_and_resuming_changes_nothing(precision, images, tmp_path):
    finished(images, tmp_path / "whole", precision=precision, mirror=True)
    for event in ganvas.train(images, tmp_path / "half", **SMALL, precision=precision, mirror=True):
        if isinstance(event, Step) and event.step == 4:
            break
    assert checkpoint.newest(tmp_path / "half" / "checkpoints")[0].state.step == 4
    events = list(ganvas.train(None, tmp_path / "half", resume=True))
    assert [event.step for event in events if isinstance(event, Step)] == [5, 6, 7, 8, 9, 10]
    same(tensors_of(tmp_path / "whole"), tensors_of(tmp_path / "half"))
    whole, half = (ganvas.load(tmp_path / name).sample(4) for name in ("whole", "half"))
    assert torch.equal(whole, half)


def test_a_second_run_never_overwrites_the_first(images, copy_of_run, tmp_path):
    copy_of_run(tmp_path / "run", *SAME)
    with pytest.raises(RunError, match="already holds a run; continue it with --resume"):
        finished(images, tmp_path / "run")


def test_there_must_be_something_to_resume(images, tmp_path):
    with pytest.raises(RunError, match="holds no run to resume"):
        finished(images, tmp_path / "run", resume=True)


def test_a_run_stopped_before_its_first_checkpoint_begins_again(copy_of_run, tmp_path):
    out = tmp_path / "run"
    copy_of_run(out, *SAME)
    for folder in checkpoint.list_checkpoints(out / "checkpoints"):
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    events = list(ganvas.train(None, out, resume=True))
    assert any(isinstance(e, Notice) and "begins again" in e.sentence for e in events)
    assert events[-1].images == 40


def test_what_may_change_is_named_and_what_may_not_is_refused(copy_of_run, tmp_path):
    out = tmp_path / "run"
    copy_of_run(out, *SAME)
    with pytest.raises(RunError, match=r"cannot change.*training\.seed 0 -> 1"):
        list(ganvas.train(None, out, resume=True, seed=1))
    with pytest.raises(RunError, match=r"network\.width 4 -> 8.*; leave that out"):
        list(ganvas.train(None, out, resume=True, width=8, lr_g=1e-4))
    events = list(ganvas.train(None, out, resume=True, images=60, lr_g=1e-4))
    said = [event.sentence for event in events if isinstance(event, Notice)]
    assert said == [
        "Changed since the run began: game.lr_g 0.02 -> 0.0001, training.images 40 -> 60.",
        "The run goes on after step 10, 40 of 60 images.",
    ]
    assert events[-1].images == 60
    live = checkpoint.newest(out / "checkpoints")[0].state.live
    assert live["lr_g"] == 1e-4
    assert live["lr_d"] == 0.02


def test_the_same_command_with_resume_is_the_same_run(images, tmp_path, monkeypatch):
    out = tmp_path / "run"
    finished(images, out, channels="auto", precision="auto")
    monkeypatch.chdir(images.parent)
    events = finished(images.name, out, channels="auto", precision="auto", resume=True)
    assert not any(isinstance(e, Notice) and "Changed" in e.sentence for e in events)


def test_a_finished_run_says_that_it_is_finished(copy_of_run, tmp_path):
    copy_of_run(tmp_path / "run", *SAME)
    events = list(ganvas.train(None, tmp_path / "run", resume=True))
    assert any(isinstance(e, Notice) and "had reached its end" in e.sentence for e in events)


def test_changed_images_are_noticed(images, tmp_path):
    finished(images, tmp_path / "run")
    Image.new("RGB", (30, 30), "red").save(images / "new.png")
    events = list(ganvas.train(None, tmp_path / "run", resume=True, images=48))
    assert any(isinstance(e, Notice) and "images have changed" in e.sentence for e in events)


def test_a_longer_budget_buys_more_images(images, tmp_path, ticking):
    ticking(0.01)
    out = tmp_path / "run"
    options = {name: value for name, value in SMALL.items() if name != "images"}
    events = list(ganvas.train(images, out, **options, budget="1s"))
    planned = [event for event in events if isinstance(event, Planned)]
    assert len(planned) == 1
    assert "1 second on this machine" in planned[0].sentence
    first = events[-1]
    assert first.images > 0
    assert first.seconds < 1.1
    again = list(ganvas.train(None, out, resume=True, budget="2s"))[-1]
    assert again.images > first.images
    assert again.seconds > first.seconds


def test_a_run_whose_time_was_over_before_its_first_step_goes_on(images, tmp_path):
    options = {name: value for name, value in SMALL.items() if name != "images"}
    done = list(ganvas.train(images, tmp_path / "run", **options, budget="0.001s"))[-1]
    assert (done.step, done.images) == (0, 0)
    events = ganvas.train(None, tmp_path / "run", resume=True, budget="10m")
    assert next(event for event in events if isinstance(event, Step)).images == SMALL["batch"]
    events.close()
    again = run_yaml.read(tmp_path / "run" / "run.yaml")
    assert (again["network"]["width"], again["training"]["batch"]) == (4, 4)


def test_a_number_of_images_chooses_what_is_not_set(images, tmp_path):
    options = {name: value for name, value in SMALL.items() if name != "batch"}
    events = list(ganvas.train(images, tmp_path / "run", **options))
    (planned,) = (event for event in events if isinstance(event, Planned))
    assert planned.choices == {"width": 4, "batch": 32, "blocks": 0}
    assert planned.sentence == f"{SMALL['images']} images: width 4, batch 32"
    written = run_yaml.read(tmp_path / "run" / "run.yaml")
    assert (written["network"]["blocks"], written["training"]["batch"]) == (0, 32)
    again = list(ganvas.train(None, tmp_path / "run", resume=True, images=100))
    assert not any(isinstance(event, Planned) for event in again)


@pytest.mark.parametrize(("asked", "kept"), [({}, 0), ({"blocks": 1}, 1)])
def test_a_plan_leaves_what_was_asked_for(asked, kept, images, tmp_path, ticking):
    ticking(0.01)
    options = {name: value for name, value in SMALL.items() if name != "images"}
    list(ganvas.train(images, tmp_path / "run", **options, **asked, budget="1s"))
    network = run_yaml.read(tmp_path / "run" / "run.yaml")["network"]
    assert (network["width"], network["blocks"]) == (SMALL["width"], kept)


def test_a_damaged_checkpoint_is_passed_over_aloud(images, tmp_path):
    out = tmp_path / "run"
    for event in ganvas.train(images, out, **SMALL, save_every=0.001):
        if isinstance(event, Saved) and event.step == 6:
            break
    newest = checkpoint.list_checkpoints(out / "checkpoints")[0]
    (newest / "model.safetensors").write_bytes(b"no")
    with pytest.warns(FallbackWarning, match=r"model\.safetensors is damaged"):
        ganvas.load(out)
    events = list(ganvas.train(None, out, resume=True))
    notices = [event.sentence for event in events if isinstance(event, Notice)]
    assert "damaged" in notices[0]
    assert events[-1].images == 40


def test_weights_that_are_not_finite_never_reach_the_disk(images, tmp_path):
    out = tmp_path / "run"
    with pytest.raises(CheckpointError, match="not finite and is not saved"):
        finished(images, out, save_every=0.001, lr_g=1e38)
    for folder in checkpoint.list_checkpoints(out / "checkpoints"):
        for tensors in checkpoint.read(folder).all_tensors().values():
            floats = [tensor for tensor in tensors.values() if tensor.is_floating_point()]
            assert all(torch.isfinite(tensor).all() for tensor in floats)


def test_nothing_is_written_outside_the_run_and_the_cache(images, tmp_path):
    home, out, cache = tmp_path / "home", tmp_path / "run", tmp_path / "cache"
    home.mkdir()
    before = set(tmp_path.rglob("*"))
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "GANVAS_CACHE": str(cache)}
    flags = ["--size", "16", "--batch", "4", "--latent", "8", "--width", "4", "--images", "16"]
    command = [sys.executable, "-m", "ganvas", "train", str(images), "--out", str(out), *flags]
    subprocess.run(command, check=True, capture_output=True, env=environment, cwd=home)
    new = set(tmp_path.rglob("*")) - before
    assert [path for path in new if not path.is_relative_to(out)] != []
    assert all(path.is_relative_to(out) or path.is_relative_to(cache) for path in new)


def test_one_process_at_a_time(images, tmp_path):
    with locked(tmp_path / "run"), pytest.raises(BusyError, match="another ganvas is at work"):
        finished(images, tmp_path / "run")


@pytest.fixture
def played(monkeypatch):
    """Whether each step that is made carries a penalty."""
    seen, play = [], AdversarialTrainer.step

    def watched(game, state, loader, fraction):
        scalars = play(game, state, loader, fraction)
        seen.append("r1" in scalars)
        return scalars

    monkeypatch.setattr(AdversarialTrainer, "step", watched)
    return seen


@pytest.fixture
def tiny(images, returned):
    chosen = {"data": {"size": "16"}, "network": {"width": 4}, "training": {"batch": 4}}
    return returned(build(Request.of({"source": str(images), **chosen})))


def test_a_timed_round_carries_as_many_penalties_as_a_round_of_the_run(tiny, played):
    (steps,) = tiny.timed_rounds()
    every = tiny.config.game.penalty_every
    assert steps() == steps() == every * tiny.config.training.batch
    assert played == [True, *[False] * (every - 1)] * 2


def test_threads_are_chosen_by_single_steps_of_a_model_that_one_thread_has_made(
    tiny, played, monkeypatch
):
    """On a busy machine a round on all of them takes half a minute."""
    made, start = [], AdversarialTrainer.start

    def watched(*given):
        made.append(torch.get_num_threads())
        return start(*given)

    monkeypatch.setattr(AdversarialTrainer, "start", watched)
    with using(2):
        monkeypatch.setattr(
            "ganvas.runs.plan.fastest", lambda step, _: [step() for _ in "12"] and 1
        )
        assert choose_threads(tiny) == 1
    assert made == [1]
    assert played == [False, False]


@pytest.mark.parametrize(
    ("options", "batch", "rates", "upsampling"),
    [
        ({}, 64, (0.04, 0.04), "learnt"),
        ({"batch": 32}, 32, (0.02, 0.02), "filtered"),
        ({"lr_d": 0.03}, 64, (0.02, 0.03), "learnt"),
        ({"images": 60_000}, 32, (0.02, 0.02), "learnt"),
        ({"images": 160_000, "width": 24}, 32, (0.02, 0.02), "filtered"),
        ({"lr_g": 0.03, "batch": 64}, 64, (0.03, 0.02), "filtered"),
        ({"images": 60_000, "upsampling": "filtered"}, 32, (0.02, 0.02), "filtered"),
    ],
)
def test_a_batch_brings_its_learning_rates_and_upsampling(
    options, batch, rates, upsampling, returned
):
    asked = nest({"size": "32", "images": 64_000} | options)
    built = returned(build(Request.of(asked | {"source": "digits"})))
    settings = returned(make_plan(built, 1, 0.0)).config
    assert settings.training.batch == batch
    assert (settings.game.lr_g, settings.game.lr_d) == rates
    assert settings.network.upsampling == upsampling


def test_a_mistake_leaves_no_run_behind(images, tmp_path):
    with pytest.raises(UnsuitableSizeError, match="try --size 24x24"):
        finished(images, tmp_path / "run", size=22)
    with pytest.raises(GanvasError, match="nowhere"):
        finished(tmp_path / "nowhere", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_that_was_there_stays_there_after_a_mistake(images, tmp_path):
    (tmp_path / "run").mkdir()
    with pytest.raises(UnsuitableSizeError):
        finished(images, tmp_path / "run", size=22)
    assert (tmp_path / "run").is_dir()
    assert len(finished(images, tmp_path / "run")) > 0


def test_a_lock_that_was_taken_away_meanwhile_does_not_count(tmp_path, monkeypatch):
    def overtaken(handle):
        (tmp_path / "run" / ".lock").unlink()

    monkeypatch.setattr(locking, "_lock", overtaken)
    with pytest.raises(BusyError), locked(tmp_path / "run"):
        pytest.fail("the folder must not be held")


def test_transparent_images_stay_transparent(tmp_path):
    folder = tmp_path / "icons"
    folder.mkdir()
    for i in range(8):
        pixels = np.full((20, 20, 4), 40 * i % 255, np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    finished(folder, tmp_path / "run", channels=4)
    assert ganvas.load(tmp_path / "run").sample(2).shape == (2, 4, 16, 16)
    with Image.open(next((tmp_path / "run" / "samples").iterdir())) as sheet:
        assert sheet.width > 100


FLAGS = [
    "--size",
    "16",
    "--batch",
    "4",
    "--latent",
    "8",
    "--width",
    "4",
    "--images",
    "100m",
    "--save-every",
    "0.2s",
]


PATIENCE = 600  # seconds: more than the slowest machine needs


def started(forking, images, out):
    process = forking.start("-m", "ganvas", "train", str(images), "--out", str(out), *FLAGS)
    deadline = time.monotonic() + PATIENCE
    while not checkpoint.list_checkpoints(out / "checkpoints"):
        assert process.poll() is None, process.said()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return process


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_signals_finish_the_step_save_and_exit(number, status, images, tmp_path, forking):
    process = started(forking, images, tmp_path / "run")
    try:
        process.send_signal(number)
        said = "".join(process.communicate(timeout=PATIENCE))
    finally:
        process.kill()
    assert process.returncode == status
    by = "Ctrl-C" if number is signal.SIGINT else number.name
    assert f"Stopped by {by} and saved" in said
    assert "--resume" in said
    found, passed_over = checkpoint.newest(tmp_path / "run" / "checkpoints")
    assert passed_over == []
    last = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[-1]
    assert json.loads(last)["step"] == found.state.step


def test_after_kill_9_the_last_checkpoint_resumes_exactly(images, tmp_path, forking):
    out = tmp_path / "run"
    process = started(forking, images, out)
    time.sleep(0.7)
    process.kill()
    process.communicate()
    found, passed_over = checkpoint.newest(out / "checkpoints")
    assert passed_over == []
    images = found.state.images + 40
    list(ganvas.train(None, out, resume=True, images=images))
    # What nobody killed: the same settings in one go.
    described = merge(run_yaml.read(out / "run.yaml"), {"training": {"images": images}})
    list(ganvas.train(None, tmp_path / "whole", given=described))
    same(tensors_of(tmp_path / "whole"), tensors_of(out))
