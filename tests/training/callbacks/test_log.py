"""The metrics log: even intervals, means, and a resumed run's memory."""

import errno
import json
from io import FileIO

import pytest
from PIL import Image

from ganvas.errors import GanvasError
from ganvas.events import Dropped, Step
from ganvas.imaging import plots
from ganvas.training.callbacks import curves, log


def steps(begin, small):
    return begin("fc", small("fc"))[1]


def test_lines_come_at_even_intervals_and_hold_means(tmp_path, begin, small):
    state, book = steps(begin, small), log.MetricsLog.of_run(tmp_path / "metrics.jsonl", 4000)
    for i in range(1, 9):
        list(book.watch(state, Step(i, 2 * i, 0.1 * i, 0.0, {"loss_d": float(i)})))
    lines = log.read(tmp_path / "metrics.jsonl")
    assert [line["images"] for line in lines] == [2, 4, 8, 12, 16]
    assert [line["loss_d"] for line in lines] == [1.0, 2.0, 3.5, 5.5, 7.5]


def test_what_came_after_a_checkpoint_is_forgotten(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(json.dumps({"step": i}) + "\n" for i in range(10)) + '{"step": 4, "cut')
    log.forget_after(path, 4)
    assert [line["step"] for line in log.read(path)] == [0, 1, 2, 3, 4]


def test_dropped_steps_are_written_down(tmp_path):
    book = log.MetricsLog.of_run(tmp_path / "metrics.jsonl", 100)
    book.note(Dropped(3, "the loss is not a finite number"))
    (line,) = log.read(tmp_path / "metrics.jsonl")
    assert (line["event"], line["step"]) == ("dropped", 3)


def test_nothing_to_draw_draws_nothing(tmp_path):
    assert not curves.draw(tmp_path / "metrics.jsonl", tmp_path / "losses.png")
    assert not (tmp_path / "losses.png").exists()


def test_curves_are_drawn_in_full_size_with_a_panel_for_each_kind(tmp_path, monkeypatch):
    """Other tests draw them small, without layout."""
    monkeypatch.setattr(curves, "figure", plots.figure)
    names = [name for names in curves.PANELS.values() for name in names]
    comparable = {"features": "digits", "samples": 100, "reals": 100}
    lines = [
        {"step": step, "images": 8 * step, **comparable, **dict.fromkeys(names, 0.1 * step)}
        for step in range(1, 9)
    ]
    (tmp_path / "metrics.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    assert curves.draw(tmp_path / "metrics.jsonl", tmp_path / "losses.png")
    with Image.open(tmp_path / "losses.png") as image:
        assert image.size == (9 * 110, round(2.6 * len(curves.PANELS) * 110))
        image.load()


def test_a_spike_does_not_flatten_the_curves(tmp_path):
    from ganvas.training.callbacks.curves import _without_spikes

    usual = [1 + 0.01 * number for number in range(100)]
    low, high = _without_spikes([*usual, 1e6, float("inf"), float("nan")])
    assert 0 < low < 1
    assert 2 < high < 3
    assert _without_spikes([0.5]) == (0.25, 0.75)


def test_everything_that_curves_draw_is_held_to_a_form():
    drawn = {name for names in curves.PANELS.values() for name in names}
    assert drawn <= log.Line.__annotations__.keys()


FOREIGN = [
    b"[1, 2]", b"5", b"null", b'"step"', b"{}", b'{"images": 3}', b'{"step": "1"}', b'{"step": -1}',
    b'{"step": true}', b'{"step": 1, "images": 1.5}', b'{"step": 1, "loss_d": "x"}', b"", b"\0\0\0",
    b'{"step": 1, "loss_d": null}', b'{"step": 1, "loss_d": 1%s}' % (b"0" * 400), b"\xff\xfe", b"{",
    b'{"step": 1, "event": 5}', b'{"step": 1, "x": %s}' % (b"[" * 50 + b"]" * 50), b"[" * 100_000,
    b"# a note",
]  # fmt: skip


def test_lines_of_another_form_are_passed_over_and_kept(tmp_path):
    path = tmp_path / "metrics.jsonl"
    ours = [b'{"step": %d, "images": %d, "loss_d": NaN}' % (n, 8 * n) for n in range(5)]
    path.write_bytes(b"\n".join([*ours, *FOREIGN, b'{"step": 9}']) + b"\n")
    assert [line["step"] for line in log.read(path)] == [0, 1, 2, 3, 4, 9]
    assert not curves.draw(path, tmp_path / "losses.png") or (tmp_path / "losses.png").exists()
    log.forget_after(path, 2)
    assert path.read_bytes() == b"\n".join([*ours[:3], *FOREIGN]) + b"\n"


def test_what_needs_no_forgetting_is_not_written_again(tmp_path):
    path = tmp_path / "metrics.jsonl"
    log.forget_after(path, 5)
    assert not path.exists()
    path.write_text('{"step": 1}\n')
    before = path.stat().st_ino
    log.forget_after(path, 5)
    assert path.stat().st_ino == before


@pytest.mark.parametrize("torn", [b'{"step": 3, "lo', b'{"step": 3}', b"\0\0\0\0", b"x"])
def test_a_line_after_a_torn_one_is_whole(torn, tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step": 1}\n' + torn)
    log.MetricsLog.of_run(path, 100).append({"step": 4})
    assert log.read(path)[0] == {"step": 1}
    assert log.read(path)[-1] == {"step": 4}
    assert path.read_bytes() == b'{"step": 1}\n' + torn + b'\n{"step": 4}\n'


@pytest.mark.parametrize("written", [0, 5, 11])
def test_a_full_disk_leaves_no_half_of_a_line(written, tmp_path, monkeypatch):
    path = tmp_path / "metrics.jsonl"
    book = log.MetricsLog.of_run(path, 100)
    book.append({"step": 1})
    whole, write, some = path.read_bytes(), FileIO.write, []

    class Full(FileIO):
        def write(self, data):
            if some:
                raise OSError(errno.ENOSPC, "No space left on device")
            some.append(data)
            return write(self, data[:written])

    with monkeypatch.context() as patch:
        patch.setattr(
            type(path), "open", lambda self, mode, buffering: Full(str(self), mode.replace("b", ""))
        )
        with pytest.raises(GanvasError, match=r"metrics\.jsonl cannot be used: the disk is full"):
            book.append({"step": 2, "images": 16})
    assert path.read_bytes() == whole
    book.append({"step": 3})
    assert [line["step"] for line in log.read(path)] == [1, 3]


@pytest.mark.parametrize("kind", ["folder", "dangling", "nowhere"])
def test_a_metrics_log_that_is_no_file_says_nothing_and_cannot_be_written(kind, tmp_path):
    path = tmp_path / "metrics.jsonl"
    if kind == "folder":
        path.mkdir()
    if kind == "dangling":
        path.symlink_to(tmp_path / "gone" / "away")
    if kind == "nowhere":
        path = tmp_path / "gone" / "metrics.jsonl"
    assert log.read(path) == []
    log.forget_after(path, 3)
    with pytest.raises(GanvasError, match="metrics"):
        log.MetricsLog.of_run(path, 100).append({"step": 2})
