"""All runs below a folder: what they are and how they stand, whoever has written them."""

import json
import os
import shutil
import time

import pytest

from ganvas.checkpoints.run_dir import RunDir
from ganvas.events import Step
from ganvas.runs.control import Pause
from ganvas.runs.listing import describe, find_runs
from ganvas.runtime.locking import locked

FLAGS = ("--size", "16", "--width", "4", "--batch", "4", "--images", "8")


def test_runs_are_found_at_any_depth_and_not_within_one_another(tmp_path, copy_of_run):
    for name in ("b", "a/deep/er", ".hidden"):
        copy_of_run(tmp_path / name, *FLAGS)
    shutil.copytree(tmp_path / "a" / "deep" / "er", tmp_path / "b" / "samples" / "copy")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    found = [str(run.path.relative_to(tmp_path)) for run in find_runs(tmp_path)]
    assert found == [os.path.join("a", "deep", "er"), "b"]
    assert [run.path for run in find_runs(tmp_path / "b")] == [tmp_path / "b"]


def test_a_run_in_a_few_facts(tmp_path, copy_of_run):
    run = describe(RunDir(copy_of_run(tmp_path / "run", *FLAGS)))
    assert (run.model, run.size, run.images, run.goal) == ("compact", "16x16", 8, 8)
    assert run.state == "finished"
    assert run.thumbnail.parent.name == "samples"
    assert run.disk > 10_000
    json.dumps(run.as_json())


@pytest.mark.parametrize("lost", ["status.json", "metrics.jsonl", "run.yaml", "samples"])
def test_what_is_missing_or_damaged_is_left_open(tmp_path, copy_of_run, lost):
    path = copy_of_run(tmp_path / "run", *FLAGS)
    for damage in (None, b"", b"\xff\x00{", b"{}\n[]\n5\n"):
        if (path / lost).is_dir():
            shutil.rmtree(path / lost)
        if damage is None:
            (path / lost).unlink(missing_ok=True)
        else:
            (path / lost).write_bytes(damage)
        run = describe(RunDir(path))
        assert run.state == "finished"
        assert run.model == ("?" if lost == "run.yaml" else "compact")


def test_a_run_of_an_older_ganvas_is_finished_if_its_last_checkpoint_is(tmp_path, copy_of_run):
    path = copy_of_run(tmp_path / "run", *FLAGS)
    (path / "status.json").unlink()
    log = path / "metrics.jsonl"
    old = [line for line in log.read_text().splitlines() if '"event"' not in line]
    log.write_text("".join(f"{line}\n" for line in old))
    assert describe(RunDir(path)).state == "finished"
    log.write_text("".join(f"{line}\n" for line in old) + json.dumps(
        {"step": 2, "event": "command", "command": "stop", "reason": "SIGTERM"}
    ) + "\n")  # fmt: skip
    assert describe(RunDir(path)).state == "SIGTERM"


def test_the_states_of_a_run_that_goes_on(session):
    made = session()
    states = []
    with locked(made.folder.path):
        states.append(describe(made.folder).state)
        for event in made.events():
            if isinstance(event, Step) and event.step == 1:
                states.append(describe(made.folder).state)
                made.status.write("paused", made.state)
                states.append(describe(made.folder).state)
    assert states == ["preparing", "running", "paused"]
    assert describe(made.folder).state == "finished"


def test_a_run_that_was_killed_is_dead(session):
    made = session()
    made.control.put(Pause())
    with locked(made.folder.path):
        made.status.write("running", made.state)
    run = describe(made.folder)
    assert run.state == "dead"
    assert run.changed > 0


def test_what_an_earlier_process_wrote_says_nothing_of_the_one_at_work(session):
    made = session()
    with locked(made.folder.path):
        list(made.events())
        assert describe(made.folder).state == "finished", "it still holds the lock"
    for told in ("finished", "paused"):
        made.status.write(told, made.state)
        time.sleep(0.1)
        with locked(made.folder.path):  # resumed
            assert describe(made.folder).state == "preparing"
            made.status.write("running", made.state)
            assert describe(made.folder).state == "running"


def test_the_command(run, tmp_path, copy_of_run):
    copy_of_run(tmp_path / "runs" / "one", *FLAGS)
    status, out, err = run("runs", tmp_path / "runs")
    assert (status, err) == (0, "")
    assert "one" in out
    assert "finished" in out
    status, out, _ = run("runs", tmp_path / "runs", "--json")
    (found,) = json.loads(out)
    assert (status, found["state"], found["images"]) == (0, "finished", 8)
    status, out, _ = run("runs", tmp_path / "runs" / "one" / "samples")
    assert (status, "no run below" in out) == (0, True)
    status, _, err = run("runs", tmp_path / "nowhere")
    assert (status, "is no folder" in err) == (1, True)
    assert run("runs", tmp_path / "runs" / "one" / "run.yaml")[0] == 1


def test_steering_a_run_that_does_not_train(run, tmp_path, copy_of_run):
    path = copy_of_run(tmp_path / "run", *FLAGS)
    before = sorted(p.name for p in path.iterdir())
    for arguments, said in (
        ((path, "--pause"), "is not being trained"),
        ((tmp_path, "--pause"), "holds no run"),
        ((path,), "say what is to change"),
        ((path, "--label", "x" * 201), "1 to 200 characters"),
    ):
        status, out, err = run("steer", *arguments)
        assert (status, out) == (1, "")
        assert said in err
    assert sorted(p.name for p in path.iterdir()) == before
