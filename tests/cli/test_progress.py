"""What a terminal shows of a long job, at 80 and at 200 columns, and what a log gets."""

import io
from math import sin

import pytest
from rich.console import Console

from ganvas.cli.progress import BLOCKS, LONGEST, Curve, LiveProgress, packed, sparkline
from ganvas.cli.show import View
from ganvas.events import Diagnosis, Done, FollowUp, Step, Treatment

WIDTHS = (80, 200)


class Terminal(io.TextIOWrapper):
    """A stream that says it is a terminal of this encoding."""

    def __init__(self, encoding="utf-8"):
        super().__init__(io.BytesIO(), encoding=encoding, newline="")

    def isatty(self):
        return True

    def text(self):
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)


def steps(count, **scalars):
    for step in range(1, count + 1):
        given = scalars or {"loss_d": 0.7 + sin(step / 9), "loss_g": 1 - sin(step / 9)}
        yield Step(
            step, 32 * step, step / 10, step / count, {"d_real": 0.6, "d_fake": 0.4, **given}
        )


def shown(width, events, out, encoding="utf-8", live=True):
    """The text that a terminal gets."""
    terminal = Terminal(encoding)
    console = Console(file=terminal, width=width, force_terminal=live, color_system=None)
    with LiveProgress(console, live) as bar:
        view = View(console, bar, out)
        for event in events:
            view.shown_at = -1e9  # due at every event
            view.see(event)
        bar.refresh()
    return terminal.text()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_display_shows_what_happens_now_and_fits(width, tmp_path):
    text = shown(width, steps(300), tmp_path)
    frame = text[text.rindex("training") :].split("\r\n" if "\r\n" in text else "\n")
    lines = [line.split("\x1b")[0].rstrip() for line in frame]
    assert "100 %" in lines[0]
    assert "320 images/s" in lines[0]
    assert "step 300" in lines[0]
    below = "  ".join(lines[1:])
    for name in ("loss D ", "loss G ", "D(real) 0.60", "D(fake) 0.40"):
        assert name in below
    assert set(BLOCKS) <= set(below)
    assert max(map(len, lines)) <= width


def test_a_wide_terminal_needs_fewer_lines():
    curves = [Curve("loss D"), Curve("loss G")]
    for curve in curves:
        for step in range(100):
            curve.add(step)
    numbers = [Curve("D(real)"), Curve("D(fake)")]
    for number in numbers:
        number.add(0.5)
    lines = {}
    for width in WIDTHS:
        console = Console(file=Terminal(), width=width, force_terminal=True)
        lines[width] = LiveProgress(console, live=True).lines(curves, numbers)
        assert max(map(len, lines[width])) <= width
    assert (len(lines[80]), len(lines[200])) == (2, 1)


def test_a_terminal_without_blocks_shows_numbers_alone(tmp_path):
    text = shown(80, steps(50), tmp_path, encoding="latin-1")
    assert "loss D" in text
    assert "\\u" not in text


def test_a_log_gets_whole_lines_without_a_bar_or_colours(tmp_path):
    found = Diagnosis(40, "mode-collapse", "All samples look alike. " * 9, {}, "Raise --r1.")
    text = shown(80, [*steps(3), found], tmp_path, live=False)
    assert "\x1b" not in text
    assert set(BLOCKS).isdisjoint(text)
    assert "training" in text
    assert "loss D" in text
    first = next(line for line in text.splitlines() if line.startswith("! "))
    assert len(first) > 200


def test_findings_of_the_doctor_stand_out(tmp_path):
    terminal = Terminal()
    console = Console(
        file=terminal, width=80, force_terminal=True, color_system="standard", highlight=False
    )
    events = [
        Diagnosis(40, "mode-collapse", "All samples look alike.", {}, "Raise --r1."),
        Treatment(40, "mode-collapse", "The run begins again."),
        FollowUp(90, "mode-collapse", helped=True),
    ]
    with LiveProgress(console, live=True) as bar:
        view = View(console, bar, tmp_path)
        for event in events:
            view.see(event)
    text = terminal.text()
    assert "\x1b[1;33m! Step 40: mode-collapse. All samples look alike." in text
    assert "\x1b[32m! Step 90: mode-collapse has not been seen again" in text


@pytest.mark.parametrize(
    ("reason", "first"),
    [("finished", "ganvas sample"), ("SIGTERM", "ganvas train --resume --out")],
)
def test_the_last_lines_say_where_everything_is_and_what_comes_next(tmp_path, reason, first):
    out = tmp_path / "a run"
    (out / "samples").mkdir(parents=True)
    (out / "losses.png").touch()
    found = Diagnosis(4, "mode-collapse", "All samples look alike.", {}, "Raise --r1.")
    text = shown(200, [found, Done(9, 288, 61.0, reason)], out, live=False)
    last = text[text.index("288 images in 1:01") :]
    assert f"  Samples: {out / 'samples'}\n" in last
    assert f"  Losses: {out / 'losses.png'}\n" in last
    assert f"Next:\n  {first} '{out}'" in last
    assert f"ganvas doctor '{out}'" in last
    assert "progress.gif" not in last  # it is not there


def test_a_sparkline_shows_the_means_of_its_parts():
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8) == BLOCKS
    assert sparkline([0, 0, 7, 7], 2) == BLOCKS[0] + BLOCKS[-1]
    assert sparkline([3.0] * 9, 4) == BLOCKS[0] * 4
    assert sparkline([1.0], 8) == ""
    assert len(sparkline([*range(1000)], 37)) == 37


def test_a_curve_of_any_length_keeps_few_values_of_the_whole_run():
    curve = Curve("loss")
    for step in range(100_000):
        curve.add(step)
    assert LONGEST / 2 <= len(curve.history) < LONGEST
    assert curve.history == sorted(curve.history)
    assert curve.history[0] < 1000
    assert curve.history[-1] > 99_000
    assert str(curve) == "loss 1e+05"


def test_items_are_packed_in_order():
    assert packed(["aaaa", "bb", "cccccc", "d"], 8) == ["aaaa  bb", "cccccc", "d"]
