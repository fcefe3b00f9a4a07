"""What a budget buys, with a clock that is part of the test."""

import itertools

import pytest

from ganvas.training import plan as planning
from ganvas.training.plan import STEPS_NEEDED, plan


class Clock:
    """Time passes only when a step is made."""

    def __init__(self, monkeypatch):
        self.now, self.steps = 0.0, 0
        monkeypatch.setattr(planning.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(planning.time, "perf_counter", lambda: self.now)

    def step_of(self, seconds_by_width):
        def make(width):
            def step():
                self.steps += 1
                self.now += seconds_by_width[width]

            return step

        return make


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def planned(clock, budget, scale=1.0):
    seconds = {width: scale * 0.001 * width for width in STEPS_NEEDED}
    return plan(budget, 64, [*STEPS_NEEDED], clock.step_of(seconds))


def test_more_time_buys_more_width_and_more_pictures(clock):
    plans = [planned(clock, budget) for budget in (5, 60, 600, 6000, 60_000)]
    widths = [made.width for made in plans]
    assert widths == sorted(widths)
    assert widths[0] == min(STEPS_NEEDED)
    assert widths[-1] == max(STEPS_NEEDED)
    assert all(a.images < b.images for a, b in itertools.pairwise(plans))


def test_a_slow_machine_gets_a_narrow_network(clock):
    fast, slow = planned(clock, 60), planned(clock, 60, scale=50)
    assert slow.width < fast.width
    assert slow.images < fast.images


def test_the_plan_fits_the_budget(clock):
    for budget in (10, 60, 3600):
        made = planned(clock, budget)
        assert 0.85 * budget < made.images / made.rate + made.spent < budget


def test_timing_never_takes_more_than_a_small_share_of_the_budget(clock):
    made = planned(clock, 60, scale=1000)  # a step takes sixteen seconds
    assert made.spent <= 20
    assert clock.steps <= 2


def test_a_model_without_widths_is_planned_too(clock):
    made = plan(60, 256, [None], clock.step_of({None: 0.02}))
    assert made.width is None
    assert made.images == pytest.approx(60 / 0.02 * 256, rel=0.06)


@pytest.mark.parametrize(
    ("budget", "words"),
    [(60, "1 minute"), (90, "1.5 minutes"), (7200, "2 hours"), (15, "15 seconds"), (0.5, "0.5 s")],
)
def test_the_plan_is_said_in_words(clock, budget, words):
    assert planned(clock, 60).sentence(budget).startswith(words)
