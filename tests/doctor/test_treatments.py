"""Each treatment changes what it says, says it in a sentence, and is silent where it cannot."""

import pytest

from ganvas.doctor import treatments as t
from ganvas.doctor.evidence import Evidence
from ganvas.doctor.treatments import RunControl


@pytest.fixture
def run(begin, small):
    def make(figures=None, fraction=0.0, **rules):
        game, state = begin("dcgan", small("dcgan"), **rules)
        drawn = []
        made = RunControl(
            state,
            game.settings,
            Evidence("It is ill.", figures or {}),
            lambda: 7,
            drawn.append,
            fraction,
        )
        return made, state, drawn

    return make


def test_penalties_far_above_usual_are_lowered_and_no_others(run):
    who, _, _ = run({})
    who.state.live |= {"r1": 300.0, "r2": 0.01}
    said = t.rougher_discriminator(who)
    assert said is not None
    assert "r1 300 -> 30" in said
    assert "r2" not in said
    assert who.state.live["r2"] == 0.01
    while t.rougher_discriminator(who):
        pass
    assert 0 < who.state.live["r1"] <= 3


def test_rates_fall_by_a_third(run):
    who, state, _ = run(lr_g=0.03, lr_d=0.06)
    assert "0.06 -> 0.02" in t.slower_discriminator(who)
    assert "0.03 -> 0.01" in t.slower_generator(who)
    assert (state.live["lr_d"], state.live["lr_g"]) == pytest.approx((0.02, 0.01))
    t.slower_both(who)
    assert state.live["lr_d"] == pytest.approx(0.02 / 3)


def test_a_rate_is_made_usual_by_how_far_weights_moved(run):
    who, state, _ = run({"update_d": 0.6}, lr_d=0.2, lr_g=0.1)
    said = t.as_fast_as_usual(who)
    assert state.live["lr_d"] == pytest.approx(0.01)
    assert state.live["lr_g"] == 0.1
    assert said.startswith("The run went back to what it was after step 7.")


def test_penalties_begin_at_what_is_usual_and_then_grow(run):
    who, state, _ = run(r1=0.0, r2=0.0)
    t.smoother_discriminator(who)
    usual = state.live["r1"]
    assert usual > 0
    assert state.live["r2"] == usual
    assert f"r1 {usual:.3g} -> {10 * usual:.3g}" in t.smoother_discriminator(who)


def test_a_discriminator_rests_and_moves_again(run):
    who, state, _ = run(loss="bce")
    assert t.moving_discriminator(who) is None
    assert "skip_d_below" in t.resting_discriminator(who)
    assert 0.2 < state.live["skip_d_below"] < 0.5
    assert t.resting_discriminator(who) is None
    assert "moves in every step" in t.moving_discriminator(who)
    assert state.live["skip_d_below"] == 0


def test_labels_and_noise_where_they_mean_something(run):
    who, state, _ = run(loss="bce")
    assert "0.9" in t.softer_labels(who)
    assert state.live["label_smoothing"] == pytest.approx(0.1)
    assert t.softer_labels(who) is None
    assert t.softer_labels(run(loss="hinge")[0]) is None
    for expected in (0.1, 0.2, 0.4):
        assert "noise" in t.noisier(who)
        assert state.live["instance_noise"] == pytest.approx(expected)
    assert t.noisier(who) is None


def test_variations_rise_to_where_they_would_leak_and_fall(run):
    who, state, _ = run(augment="shift", augment_share=0.5)
    assert "0.50 -> 0.70" in t.more_augmentation(who)
    assert "0.70 -> 0.80" in t.more_augmentation(who)
    assert t.more_augmentation(who) is None
    assert "0.80 -> 0.40" in t.less_augmentation(who)
    assert t.less_augmentation(who)
    assert state.live["augment_share"] == pytest.approx(0.2)
    assert "0.20 -> 0.00" in t.less_augmentation(who)
    assert t.less_augmentation(who) is None
    assert t.more_augmentation(run(augment="none")[0]) is None


def test_batches_and_averages_have_an_end(run):
    who, state, _ = run()
    assert t.larger_batch(who)
    assert t.larger_batch(who)
    assert t.larger_batch(who) is None
    assert state.enlarged == 4
    while t.fresher_average(who):
        pass
    assert state.fresher == 8


def test_a_collapsed_run_begins_again_in_pairs_while_there_is_time(run):
    who, state, drawn = run(loss="bce", r1=0.0)
    said = t.began_again(who)
    assert drawn == [""]
    assert state.paired
    assert "relativistic" in said
    assert state.live["r1"] > 0
    who, state, drawn = run(fraction=0.7)
    assert t.began_again(who) is None
    assert drawn == []


def test_a_new_discriminator_is_for_total_collapse(run):
    who, _, drawn = run({"missing": 0.1})
    assert t.new_discriminator(who) is None
    who, state, drawn = run({"spread": 0.01})
    assert "new weights" in t.new_discriminator(who)
    assert drawn == ["discriminator"]
    assert state.paired


def test_a_run_goes_back_and_perhaps_slower(run):
    who, state, _ = run(lr_d=0.03)
    assert t.went_back(who) == "The run went back to what it was after step 7."
    assert state.live["lr_d"] == 0.03
    assert "learns more slowly" in t.went_back_slower(who)
    assert state.live["lr_d"] == pytest.approx(0.01)


@pytest.mark.parametrize("figures", [{}, {"update_d": 0.0}, {"update_d": 0.004}])
def test_what_moves_and_guesses_all_the_same_is_not_made_faster(run, figures):
    who, state, _ = run(figures, lr_d=0.003)
    assert t.faster_discriminator(who) is None
    assert state.live["lr_d"] == 0.003


def test_what_hardly_moves_is_made_as_fast_as_usual(run):
    who, state, _ = run({"update_d": 1e-6}, lr_d=1e-7)
    t.faster_discriminator(who)
    assert state.live["lr_d"] == pytest.approx(1e-3)
