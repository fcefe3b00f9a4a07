"""A branch goes on as its run would have, whatever became of the run since."""

import json
import shutil
from pathlib import Path

import pytest

import ganvas
from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.metadata import CheckpointError
from ganvas.checkpoints.run_dir import RunDir
from ganvas.config import yaml as run_yaml
from ganvas.events import Done, Step
from ganvas.runs.branch import branch
from ganvas.runs.errors import RunError
from ganvas.runs.listing import describe
from ganvas.training.callbacks.log import read

SMALL = {"size": 16, "batch": 4, "images": 40, "latent": 8, "width": 4, "samples": 10, "seed": 1}


@pytest.fixture
def run(images, tmp_path):
    """A finished run of 10 steps with checkpoints of steps 4 and 10."""
    events = ganvas.train(images, tmp_path / "run", **SMALL)
    next(event for event in events if isinstance(event, Step) and event.step == 4)
    events.close()
    assert [*ganvas.train(images, tmp_path / "run", resume=True)][-1].reason == "finished"
    return RunDir(tmp_path / "run")


def steps(run):
    return sorted(int(path.name[5:]) for path in checkpoint.list_checkpoints(run.checkpoints))


def everything(run):
    found = checkpoint.newest(run.checkpoints)[0]
    return found.state, found.all_tensors()


def test_a_branch_ends_as_its_run_did(run, tmp_path):
    early = steps(run)[0]
    assert early < 10
    out = RunDir(tmp_path / "branch")
    assert branch(run, out, early).state.step == early
    assert steps(out) == [early]
    assert describe(out).state != "finished"
    assert isinstance([*ganvas.train(out=out.path, resume=True)][-1], Done)
    (state, tensors), (expected_state, expected) = everything(out), everything(run)
    assert state.step == expected_state.step == 10
    for name in expected:
        for key in expected[name]:
            assert tensors[name][key].equal(expected[name][key]), (name, key)


def test_a_branch_has_what_the_run_had_by_then(run, tmp_path):
    early, out = steps(run)[0], RunDir(tmp_path / "branch")
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    branch(run, out, early)
    assert {path: path.read_bytes() for path in before} == before, "the run stays as it is"
    lines = read(out.metrics_log)
    assert max(line["step"] for line in lines) == early
    assert lines[-1]["sentence"] == f"Branched from run after step {early}."
    sheets = sorted(path.name for path in out.samples.iterdir())
    assert sheets == [f"{4 * step:010d}.png" for step in range(1, early + 1)]
    for there in (out.real, out.report):
        assert there.exists()
    for absent in (out.status, out.commands):
        assert not absent.exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_branch_has_the_settings_of_its_checkpoint(run, tmp_path):
    """And not those with which the run has been resumed since."""
    early = steps(run)[0]
    before = run_yaml.read(run.settings)
    *_, done = ganvas.train(out=run.path, resume=True, images=60, lr_g=1e-4)
    assert done.step == 15
    assert run_yaml.read(run.settings)["game"]["lr_g"] == 1e-4
    out = RunDir(tmp_path / "branch")
    branch(run, out, early)
    assert run_yaml.read(out.settings) == before
    *_, done = ganvas.train(out=out.path, resume=True)
    assert done.step == 10
    assert checkpoint.newest(out.checkpoints)[0].state.live["lr_g"] == before["game"]["lr_g"]


def test_the_newest_checkpoint_is_the_default(run, tmp_path):
    assert branch(run, RunDir(tmp_path / "branch")).state.step == 10


def test_what_cannot_be_branched_leaves_nothing(run, tmp_path):
    there = RunDir(tmp_path / "there")
    there.path.mkdir()
    with pytest.raises(RunError, match="there is there already"):
        branch(run, there)
    out = RunDir(tmp_path / "branch")
    with pytest.raises(RunError, match="has no checkpoint of step 7; it has those of"):
        branch(run, out, 7)
    with pytest.raises(RunError, match="no checkpoint to branch from"):
        branch(there, out)
    (newest,) = run.checkpoints.glob("step-*10")
    next(newest.glob("*.safetensors")).write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="safetensors"):
        branch(run, out, 10)
    assert branch(run, RunDir(tmp_path / "older")).state.step == steps(run)[0], "the one before"
    assert not out.path.exists()
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "images") == [
        "older",
        "run",
        "there",
    ]


@pytest.mark.parametrize("kept", ["none", "some"])
def test_a_checkpoint_that_vanishes_meanwhile_is_said(run, tmp_path, monkeypatch, kept):
    """The run that trains deletes it, before the copy has begun or file by file."""
    copy = shutil.copy2

    def copytree(source, goal):
        if kept == "none":
            shutil.rmtree(source)
        return real(source, goal, copy_function=copy_function)

    def copy_function(source, goal):
        Path(source).unlink()
        return copy(source, goal)

    real = shutil.copytree
    monkeypatch.setattr(shutil, "copytree", copytree)
    with pytest.raises(CheckpointError, match="choose another"):
        branch(run, RunDir(tmp_path / "branch"))
    assert [path.name for path in tmp_path.iterdir() if "branch" in path.name] == []


def test_a_log_that_is_missing_or_foreign_is_no_obstacle(run, tmp_path):
    run.metrics_log.unlink()
    branch(run, RunDir(tmp_path / "without"), 10)
    run.metrics_log.write_text("not a line\n")
    branch(run, RunDir(tmp_path / "foreign"), 10)
    lines = RunDir(tmp_path / "foreign").metrics_log.read_text().splitlines()
    assert lines[0] == "not a line"
    assert json.loads(lines[1])["event"] == "notice"
