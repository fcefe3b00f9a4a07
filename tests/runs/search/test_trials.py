"""Trials differ as far as they may, and each setting's range is covered."""

import pytest

from ganvas.config import Origin, Request, merge
from ganvas.models import MODELS
from ganvas.runs.build import build
from ganvas.runs.search.trials import PENALTIES, RATES, in_words, trials

SIZE = {"size": "16"}


@pytest.fixture
def setup(images, returned):
    def make(**given):
        asked = {"source": str(images), "data": SIZE, "training": {"images": 100}}
        return returned(build(Request.of(merge(asked, given))))

    return make


def test_the_first_is_as_planned_and_no_two_are_the_same(setup):
    found = trials(setup(), 8)
    assert found[0] == {}
    assert len({str(changes) for changes in found}) == 8
    assert trials(setup(), 8) == found  # drawn from the run's seed
    assert trials(setup(training={"seed": 1, "images": 100}), 8) != found


def test_each_part_of_a_range_has_one(setup):
    made = setup()
    factors = sorted(c["game"]["lr_g"] / made.config.game.lr_g for c in trials(made, 9)[1:])
    edges = [RATES ** (2 * part / 8 - 1) for part in range(9)]
    for factor, low, high in zip(factors, edges, edges[1:], strict=False):
        assert low <= factor <= high
    r1 = [c["game"]["r1"] / made.config.game.r1 for c in trials(made, 9)[1:]]
    assert min(r1) < 1 / PENALTIES**0.5
    assert max(r1) > PENALTIES**0.5
    assert {c.get("network", {}).get("width") for c in trials(made, 9)[1:]} >= {
        None,
        24,
        48,
    }


def test_what_was_asked_for_stays(setup):
    for asked in ({"game": {"lr_d": 0.1}}, {"game": {"r2": 1.0}}, {"network": {"width": 32}}):
        ((section, of),) = asked.items()
        (name,) = of
        for changes in trials(setup(**asked), 8):
            assert name not in changes.get(section, {})
    everything = {"game": {"lr_g": 0.1, "r1": 0.1}, "network": {"width": 32}}
    assert trials(setup(**everything), 8) == [{}]


def test_half_try_a_penalty_where_there_is_none(setup):
    made = setup(model="fc")
    tried = [changes["game"].get("r1") for changes in trials(made, 9)[1:]]
    assert sum(penalty is not None for penalty in tried) == 4


@pytest.mark.parametrize("model", MODELS)
def test_trials_of_every_model_can_begin(setup, model):
    made = setup(model=model, network={"width": 8})
    for changes in trials(made, 3):
        config = made.config.with_values(changes, Origin.SEARCH)
        assert made.resolved(config).initial_state().step == 0


def test_changes_are_said_in_words():
    assert in_words({}) == "as planned"
    assert in_words({"game": {"lr_g": 0.01234}, "network": {"width": 48}}) == "lr_g 0.012, width 48"
