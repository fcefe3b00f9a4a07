"""What a budget buys, with a clock that is part of the test."""

from dataclasses import replace
from functools import partial
from itertools import pairwise
from unittest import mock

import pytest

from ganvas.config import Request, resolve
from ganvas.models import MODELS
from ganvas.models.compact import COLOURED, GREY, TAUGHT
from ganvas.models.spec import PYRAMID, USUAL
from ganvas.runs import plan as planning
from ganvas.runs.plan import choices, choose, fitting
from ganvas.runtime import timing


class Clock:
    """Time passes only when a step is made."""

    def __init__(self, monkeypatch):
        self.now, self.steps = 0.0, 0
        for module in (planning, timing):
            monkeypatch.setattr(module.time, "monotonic", lambda: self.now)
            monkeypatch.setattr(module.time, "perf_counter", lambda: self.now)

    def step_of(self, scale):
        """Steps whose time grows with width and batch, of which a part is fixed."""

        def make(choice):
            def step():
                self.steps += 1
                self.now += scale * (0.004 + 1e-5 * choice.width * choice.batch)
                return choice.batch

            return [step]

        return make


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def planned(clock, budget, scale=1.0, table=USUAL, **settled):
    return choose(budget, choices(table, settled), clock.step_of(scale))


def test_more_time_buys_more_width_and_more_images(clock):
    plans = [planned(clock, budget) for budget in (5, 60, 600, 6000, 60_000)]
    chosen = [(made.row.width, made.row.batch) for made in plans]
    assert chosen == sorted(chosen)
    assert chosen[0] == (USUAL[0].width, USUAL[0].batch)
    assert chosen[-1] == (USUAL[-1].width, USUAL[-1].batch)
    assert all(a.images < b.images for a, b in pairwise(plans))


@pytest.mark.parametrize("table", [USUAL, COLOURED, GREY, TAUGHT, PYRAMID])
def test_every_choice_is_the_best_at_some_budget(table, clock):
    plans = [planned(clock, 1.3**power, table=table) for power in range(50)]
    assert {made.row for made in plans} == set(table)


def test_grey_images_get_by_with_fewer_channels():
    def table(name, channels, taught=False):
        return MODELS[name].budget_table(channels, taught)

    assert table("dcgan", 3) == table("dcgan", 1) == table("dcgan", 3, True) == USUAL
    assert table("compact", 3) == table("compact", 4) == COLOURED
    assert table("compact", 1) == GREY
    assert table("compact", 3, True) == TAUGHT
    assert table("progressive", 3) == table("msg", 3) == table("stylegan", 1) == PYRAMID


@pytest.mark.parametrize("taught", [False, True])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("name", MODELS)
def test_every_row_fits_its_model(name, channels, taught):
    for row in MODELS[name].budget_table(channels, taught):
        config = resolve(Request("images", name), (channels, 32, 32), 10, row=row)
        assert {key: getattr(config.network, key) for key in row.network} == row.network
        assert config.training.batch == row.batch
        if row.lr is not None:
            assert (config.game.lr_g, config.game.lr_d) == (row.lr, row.lr)


def test_a_slow_machine_gets_a_narrow_network(clock):
    fast, slow = planned(clock, 60), planned(clock, 60, scale=50)
    assert slow.row.width < fast.row.width
    assert slow.images < fast.images


def test_the_plan_fits_the_budget(clock):
    for budget in (10, 60, 3600):
        clock.now = 0.0
        made = planned(clock, budget)
        assert 0.85 * budget < made.images / made.rate + clock.now < budget


def test_steps_that_are_timed_together_are_counted_one_by_one(clock):
    def four(choice):
        (step,) = clock.step_of(1.0)(choice)
        return [lambda: sum(step() for _ in range(4))]

    single, rounds = planned(clock, 600), choose(600, choices(USUAL, {}), four)
    assert rounds.rate == pytest.approx(single.rate)
    assert rounds.images == pytest.approx(single.images, rel=0.02)


def test_stages_count_by_the_images_that_they_show(clock):
    def stages(choice):
        def step(seconds, shown):
            clock.now += seconds
            return shown

        return [partial(step, 1.0, 100), partial(step, 3.0, 50)]

    made = choose(3600, choices(USUAL, {"width": 16, "batch": 50}), stages)
    assert made.rate == pytest.approx(1 / ((1 / 100 + 3 / 50) / 2))


def test_what_only_the_first_round_waits_for_is_not_timed(clock):
    def loading(choice):
        (step,) = clock.step_of(1.0)(choice)
        waits = iter([10.0])

        def first_slow():
            clock.now += next(waits, 0.0)
            return step()

        return [first_slow]

    left = choices(USUAL, {"width": 16})[:1]
    usual = choose(120, left, clock.step_of(1.0))
    hasty, warmed_up = (choose(120, left, loading, untimed) for untimed in (0, 1))
    assert hasty.rate < usual.rate / 100  # one round took longer than may be timed
    assert warmed_up.rate == pytest.approx(usual.rate)
    assert warmed_up.images == pytest.approx(usual.images * 110 / 120, rel=0.02)


def test_what_grows_is_timed_at_every_size_after_its_first_rounds_too():
    passed = []

    def stage(number):
        return lambda: passed.append(number) or 100

    left = choices(USUAL, {"width": 16, "batch": 50})[:1]
    choose(3600, left, lambda row: [stage(0), stage(1)], untimed=1)
    assert passed == sorted(passed)


def test_timing_never_takes_more_than_a_small_share_of_the_budget(clock):
    planned(clock, 60, scale=1000)  # a step takes nine seconds
    assert clock.now <= 20
    assert clock.steps <= 2


@pytest.mark.parametrize("table", [USUAL, COLOURED, GREY, TAUGHT, PYRAMID])
def test_images_are_steps_where_nothing_is_timed(table):
    assert fitting(table, 1) == table[0]
    for before, row in pairwise(table):
        assert fitting(table, row.steps * row.batch) == row
        assert fitting(table, row.steps * row.batch - 1) == before


def test_what_is_settled_is_not_chosen(clock):
    assert {choice.width for choice in choices(USUAL, {"width": 40})} == {40}
    assert {choice.batch for choice in choices(USUAL, {"batch": 12})} == {12}
    assert {choice.blocks for choice in choices(COLOURED, {"blocks": 1})} == {1}
    assert len(choices(USUAL, {"width": 40, "batch": 12})) == 1
    assert {choice.lr for choice in choices(GREY, {"lr": None})} == {None}
    filtered = choices(GREY, {"upsampling": "filtered"})
    assert {choice.upsampling for choice in filtered} == {"filtered"}
    made = planned(clock, 60_000, width=40, batch=12)
    assert (made.row.width, made.row.batch) == (40, 12)


@pytest.mark.parametrize("table", [USUAL, COLOURED, GREY, TAUGHT, PYRAMID])
def test_a_settled_width_leaves_all_else_as_the_table_has_it(table):
    for row in table:
        assert fitting(choices(table, {"width": 40}), row.steps * row.batch) == replace(
            fitting(table, row.steps * row.batch), width=40, steps=mock.ANY
        )


@pytest.mark.parametrize(
    ("budget", "words"),
    [(60, "1 minute"), (90, "1.5 minutes"), (7200, "2 hours"), (15, "15 seconds"), (0.5, "0.5 s")],
)
def test_the_plan_is_said_in_words(clock, budget, words):
    assert planned(clock, 60).sentence(budget).startswith(words)
