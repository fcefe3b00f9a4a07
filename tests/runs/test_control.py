"""Commands to a run: obeyed between two steps, in their order, and written into the metrics log."""

import json
import threading
from contextlib import closing
from queue import Empty

import pytest

import ganvas
from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.metadata import CheckpointError
from ganvas.events import Commanded, Done, Notice, Saved, Step
from ganvas.runs.control import CommandError, Pause, Resume, Save, Set, Stop, change


def logged(folder):
    lines = map(json.loads, folder.metrics_log.read_text().splitlines())
    return [line for line in lines if line.get("event") == "command"]


def test_a_stop_ends_the_run_after_its_step_and_says_why(session):
    made = session()
    events = []
    for event in made.events():
        events.append(event)
        if isinstance(event, Step) and event.step == 3:
            made.control.put(Stop("enough"))
    assert isinstance(events[-1], Done)
    assert (events[-1].step, events[-1].reason) == (3, "enough")
    assert Commanded(3, "stop", {"reason": "enough"}) in events
    assert logged(made.folder) == [
        {"step": 3, "event": "command", "command": "stop", "reason": "enough"}
    ]
    assert checkpoint.newest(made.folder.checkpoints)[0].state.step == 3


def test_a_live_hyperparameter_is_set_kept_and_resumed(session, tmp_path):
    made = session()
    for event in made.events():
        if isinstance(event, Step) and event.step == 2:
            made.control.put(Set("lr_g", 1e-4))
            made.control.put(Stop())
    assert made.state.live["lr_g"] == 1e-4
    assert [line["command"] for line in logged(made.folder)] == ["set", "stop"]
    assert logged(made.folder)[0]["value"] == 1e-4
    *_, done = ganvas.train(out=tmp_path / "run", resume=True, images=20)
    assert done.step == 5
    assert checkpoint.newest(made.folder.checkpoints)[0].state.live["lr_g"] == 1e-4


def test_a_set_that_cannot_be_is_said_and_changes_nothing(session):
    made, said = session(images=16), []
    made.control.put(Set("lr_q", 1.0))
    made.control.put(Set("d_steps", 1e9))
    before = dict(made.state.live)
    said = [event.sentence for event in made.events() if isinstance(event, Notice)]
    assert "did you mean 'lr_g'?" in said[0] or "did you mean 'lr_d'?" in said[0]
    assert "d_steps cannot be 1e+09" in said[1]
    assert made.state.live == before
    with pytest.raises(CommandError):
        change(made.state, "lr_g", float("nan"))


def test_a_save_writes_a_checkpoint_between_two_steps(session):
    made = session()
    made.control.put(Save())
    saved = [event.step for event in made.events() if isinstance(event, Saved)]
    assert saved == [0, 40]


def test_a_paused_run_makes_no_step_until_it_is_resumed(session):
    made = session()
    with closing(made.events()) as events:
        for event in events:
            if isinstance(event, Step) and event.step == 2:
                break
        made.control.put(Pause())
        going = threading.Event()
        seen = []

        def go_on():
            for event in events:
                seen.append(event)
                if isinstance(event, Step):
                    going.set()
                    return

        thread = threading.Thread(target=go_on)
        thread.start()
        assert not going.wait(0.5)
        assert made.state.step == 2
        made.control.put(Resume())
        thread.join()
    assert [e.command for e in seen if isinstance(e, Commanded)] == ["pause", "resume"]
    assert made.state.step == 3


def test_a_pause_is_no_time_of_training(session, monkeypatch):
    """Or a run that was paused for a night would be over when it goes on."""
    made, now = session(), 0.0

    def slept():
        nonlocal now
        now += 3600.0
        if now > 8 * 3600:
            made.control.put(Resume())
        raise Empty

    monkeypatch.setattr("time.monotonic", lambda: now)
    usual = type(made.control)._next
    monkeypatch.setattr(
        type(made.control),
        "_next",
        lambda self: slept() if self.paused and self._queue.empty() else usual(self),
    )
    made.control.put(Pause())
    spent = made.state.seconds
    *_, done = made.events()
    assert now > 8 * 3600
    assert (done.step, done.reason, done.seconds) == (40, "finished", spent)


def test_a_paused_run_can_be_stopped(session):
    made = session()
    made.control.put(Pause())
    made.control.put(Stop("SIGTERM"))
    *_, done = made.events()
    assert (done.step, done.reason) == (0, "SIGTERM")


def test_the_time_limit_is_a_command(session):
    made = session()
    made.control = type(made.control)(seconds=0.0)
    *_, done = made.events()
    assert (done.step, done.reason) == (0, "finished")
    assert [line["command"] for line in logged(made.folder)] == ["stop"]


def test_closing_is_a_command(session):
    made = session()
    events = made.events()
    for event in events:
        if isinstance(event, Step) and event.step == 2:
            break
    events.close()
    assert logged(made.folder)[-1]["reason"] == "closed"
    assert checkpoint.newest(made.folder.checkpoints)[0].state.step == 2


def test_a_checkpoint_that_cannot_be_written_now_ends_no_run(session, monkeypatch):
    """A full disk refuses the command; there is room again when the run ends."""
    made, answers = session(images=16), []
    whole = checkpoint.write

    def full(folder, tensors, metadata):
        raise CheckpointError("step-2 cannot be written: the disk is full.")

    for event in made.events():
        if isinstance(event, Step) and event.step == 2:
            monkeypatch.setattr(checkpoint, "write", full)
            made.control.put(Save(), answers.append)
        if isinstance(event, Commanded):
            monkeypatch.setattr(checkpoint, "write", whole)
    assert [(answer.step, "disk is full" in answer.refused) for answer in answers] == [(2, True)]
    assert made.control.reason is None
    assert checkpoint.newest(made.folder.checkpoints)[0].state.step == 4
    assert "disk is full" in logged(made.folder)[0]["refused"]
