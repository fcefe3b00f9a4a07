"""The journal: even intervals, means, and a resumed run's memory."""

import json

from ganvas.events import Dropped, Step
from ganvas.training import curves, journal


def steps(begin, small):
    return begin("fc", small("fc"))[1]


def test_lines_come_at_even_intervals_and_hold_means(tmp_path, begin, small):
    state, book = steps(begin, small), journal.Journal.of_run(tmp_path / "metrics.jsonl", 4000)
    for i in range(1, 9):
        list(book.watch(state, Step(i, 2 * i, 0.1 * i, 0.0, {"loss_d": float(i)})))
    lines = journal.read(tmp_path / "metrics.jsonl")
    assert [line["images"] for line in lines] == [2, 4, 8, 12, 16]
    assert [line["loss_d"] for line in lines] == [1.0, 2.0, 3.5, 5.5, 7.5]


def test_what_came_after_a_checkpoint_is_forgotten(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(json.dumps({"step": i}) + "\n" for i in range(10)) + '{"step": 4, "cut')
    journal.forget_after(path, 4)
    assert [line["step"] for line in journal.read(path)] == [0, 1, 2, 3, 4]


def test_dropped_steps_are_written_down(tmp_path):
    book = journal.Journal.of_run(tmp_path / "metrics.jsonl", 100)
    book.note(Dropped(3, "the loss is not a finite number"))
    (line,) = journal.read(tmp_path / "metrics.jsonl")
    assert (line["event"], line["step"]) == ("dropped", 3)


def test_nothing_to_draw_draws_nothing(tmp_path):
    assert not curves.draw(tmp_path / "metrics.jsonl", tmp_path / "losses.png")
    assert not (tmp_path / "losses.png").exists()


def test_a_spike_does_not_flatten_the_curves(tmp_path):
    from ganvas.training.curves import _without_spikes

    usual = [1 + 0.01 * number for number in range(100)]
    low, high = _without_spikes([*usual, 1e6, float("inf"), float("nan")])
    assert 0 < low < 1
    assert 2 < high < 3
    assert _without_spikes([0.5]) == (0.25, 0.75)
