"""A run is followed from its files alone: nothing is lost, nothing is read twice."""

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest

import ganvas
from ganvas import events
from ganvas.checkpoints.run_dir import RunDir
from ganvas.events import Done, Event, Sample, Saved, Step, as_json, from_json
from ganvas.runs import follow as following
from ganvas.runs.follow import follow, news
from ganvas.runs.status import StatusWriter, read
from ganvas.training.callbacks.log import MetricsLog, forget_after, tail


@pytest.fixture
def folder(tmp_path):
    return RunDir(tmp_path)


def lines(folder, *numbers):
    log = MetricsLog(folder.metrics_log, 1)
    for number in numbers:
        log.append({"step": number, "images": 8 * number})


def steps(found):
    return [line["step"] for line in found.lines]


def test_a_follower_reads_on_from_any_position(folder):
    assert news(folder) == following.News([], "")
    lines(folder, 1, 2)
    first = news(folder)
    assert (steps(first), first.again) == ([1, 2], False)
    assert steps(news(folder, first.position)) == []
    lines(folder, 3)
    then = news(folder, first.position)
    assert (steps(then), then.again) == ([3], False)
    assert steps(news(folder)) == [1, 2, 3]


def test_half_a_line_is_left_until_it_is_whole(folder):
    lines(folder, 1)
    with folder.metrics_log.open("ab") as log:
        log.write(b'{"step": 2, "ima')
    first = news(folder)
    assert steps(first) == [1]
    with folder.metrics_log.open("ab") as log:
        log.write(b'ges": 16}\n')
    assert steps(news(folder, first.position)) == [2]


def test_a_log_that_a_resumption_has_rewritten_is_read_again(folder):
    lines(folder, 1, 2, 3, 4)
    position = news(folder).position
    forget_after(folder.metrics_log, 2)
    assert news(folder, position).again, "it is shorter than the position"
    lines(folder, 30, 40, 50)
    found = news(folder, position)
    assert (steps(found), found.again) == ([1, 2, 30, 40, 50], True)


@pytest.mark.parametrize("position", ["x", "-1-0", "7", "99999999-abc", "1e9-0", "-", "٣-0"])
def test_a_position_that_nobody_gave_reads_again_from_the_beginning(folder, position):
    lines(folder, 1, 2)
    found = news(folder, position)
    assert steps(found) == [1, 2]


def test_a_long_log_comes_in_parts_and_whole(folder, monkeypatch):
    monkeypatch.setattr(following, "MOST", 100)
    lines(folder, *range(50))
    found = [step for part, _ in follow(folder) for step in steps(part)]
    assert found == [*range(50)]


def test_bytes_without_end_do_not_stop_a_follower(folder, monkeypatch):
    monkeypatch.setattr(following, "MOST", 100)
    folder.metrics_log.write_bytes(b"\0" * 1000 + b"\n")
    lines(folder, 1)
    assert [step for part, _ in follow(folder) for step in steps(part)] == [1]


def test_whoever_follows_a_run_sees_what_its_own_process_sees(session):
    made = session(samples=3)
    own = [*made.events()]
    ((found, status),) = follow(made.folder)
    of_kind = {
        kind: [line for line in found.lines if line.get("event") == name]
        for kind, name in ((Saved, "saved"), (Sample, "sample"), (Done, "done"))
    }
    for kind, seen in of_kind.items():
        assert [line["step"] for line in seen] == [e.step for e in own if isinstance(e, kind)]
    assert [line["file"] for line in of_kind[Saved]] == [
        e.path.name for e in own if isinstance(e, Saved)
    ]
    assert found.lines[-1]["reason"] == "finished" == status.state
    assert (status.step, status.images, status.goal) == (40, 160, 160)


def test_the_log_of_a_resumed_run_says_both_ends(session, tmp_path):
    made = session()
    for event in made.events():
        if isinstance(event, Step) and event.step == 3:
            break
    for _ in ganvas.train(out=tmp_path / "run", resume=True):
        pass
    reasons = [line["reason"] for line in tail(made.folder.metrics_log) if "reason" in line]
    assert reasons[-1] == "finished"


def test_status_is_written_once_a_second_and_when_the_state_changes(tmp_path, small, begin):
    _, state = begin("dcgan", small("dcgan"))
    now = [0.0]
    path = tmp_path / "status.json"
    writer = StatusWriter(path, 1000, 60.0, lambda: now[0])
    seen = []
    for step in range(1, 31):
        now[0] += 0.1
        state.step, state.images, state.seconds = step, 10 * step, 0.1 * step
        for _ in writer.watch(state, Step(step, 10 * step, 0.1 * step, step / 100)):
            pass
        seen.append(read(path).step)
    assert len({*seen}) == 3, "once a second"
    status = read(path)
    assert status.state == "running"
    assert status.speed == pytest.approx(100)
    assert status.left == pytest.approx((1000 - status.images) / 100)
    writer.note(events.Commanded(30, "pause"), state)
    assert (read(path).state, read(path).step) == ("paused", 30)
    writer.note(events.Commanded(30, "resume"), state)
    assert read(path).state == "running"
    writer.note(Done(30, 300, 3.0, "SIGTERM"), state)
    assert read(path).state == "SIGTERM"


def test_time_left_is_that_of_the_budget_if_it_ends_first(tmp_path, small, begin):
    _, state = begin("dcgan", small("dcgan"))
    writer = StatusWriter(tmp_path / "s", 10**9, 5.0)
    for step in (1, 2):
        state.step, state.images, state.seconds = step, 10 * step, float(step)
        for _ in writer.watch(state, Step(step, 10 * step, float(step), 0.0)):
            pass
    writer.write("running", state)
    assert read(tmp_path / "s").left == pytest.approx(3.0)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"state": 1}'])
def test_a_damaged_status_is_none(tmp_path, data):
    (tmp_path / "status.json").write_bytes(data)
    assert read(tmp_path / "status.json") is None
    assert read(tmp_path / "nothing.json") is None


def test_a_status_that_cannot_be_written_ends_nothing(tmp_path, small, begin):
    _, state = begin("dcgan", small("dcgan"))
    StatusWriter(tmp_path / "nowhere" / "status.json", 10, None).write("running", state)


def example(kind):
    """An event of a type, with something in every field but what only its process can have."""
    hints = get_type_hints(kind)
    return kind(**{f.name: None if f.metadata else value(hints[f.name]) for f in fields(kind)})


def value(hint):
    plain = {int: 3, float: math.inf, str: "ಅ", bool: True, Path: Path("a") / "b", Any: 0.5}
    if hint in plain:
        return plain[hint]
    if get_origin(hint) in (Union, UnionType) and float in get_args(hint):
        return 0.5
    if is_dataclass(hint):
        return example(hint)
    if get_origin(hint) is Mapping:
        return {"a": value(get_args(hint)[1])}
    if get_origin(hint) is tuple:
        return tuple(value(part) for part in get_args(hint) if part is not ...)
    return "x"  # text or nothing; any object


@pytest.mark.parametrize("kind", get_args(Event))
def test_every_event_survives_json_by_the_name_of_its_type(kind):
    event = example(kind)
    assert is_dataclass(event)
    content = json.loads(json.dumps(as_json(event), allow_nan=False))
    assert content["type"] == kind.__name__
    assert from_json(content) == event


def test_numbers_that_are_not_finite_survive_json():
    event = Step(1, 2, 3.0, 0.5, {"a": math.inf, "b": -math.inf, "c": math.nan})
    found = from_json(json.loads(json.dumps(as_json(event), allow_nan=False)))
    assert found.scalars["a"] == -found.scalars["b"] == math.inf
    assert math.isnan(found.scalars["c"])


@pytest.mark.parametrize(
    "content", [{}, {"type": "Step"}, {"type": "os"}, {"type": "Step", "step": "x"}, {"type": 5}]
)
def test_what_is_no_event_is_refused(content):
    with pytest.raises(ValueError, match=r"no event|missing|valid"):
        from_json(content)
