"""What is measured of a run: by definition, and without changing it."""

import pytest
import torch

from ganvas.data.loader import Loader
from ganvas.losses import ADVERSARIAL_LOSSES
from ganvas.training import Goal, train
from ganvas.training.adversarial import about_logits
from ganvas.training.signals import EVERY, feature_spread, spread, update_ratio

CPU = torch.device("cpu")
ADVERSARIAL = ["fc", "dcgan", "compact", "progressive", "msg", "stylegan"]


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_spread_is_the_standard_deviation_of_thumbnails():
    images = drawn(50, 3, 16, 16)
    small = images.unflatten(2, (8, 2)).unflatten(4, (8, 2)).mean((3, 5))
    torch.testing.assert_close(spread(images), small.var(0).mean().sqrt())
    assert spread(images[:1].repeat(9, 1, 1, 1)) == 0


def test_feature_spread_does_not_depend_on_the_scale():
    features = drawn(40, 12)
    assert feature_spread(features) == pytest.approx(1, abs=0.1)
    torch.testing.assert_close(feature_spread(7 * features), feature_spread(features))
    assert feature_spread(features[:1].repeat(9, 1)) == 0


def test_the_update_ratio_is_a_share_of_the_weights():
    before = [drawn(5, 5), drawn(7, seed=1)]
    after = [1.1 * weight for weight in before]
    assert update_ratio(before, after) == pytest.approx(0.1, rel=1e-4)


def steps_of(begin, small, blobs, name, count, **rules):
    game, state = begin(name, small(name), **rules)
    loader = Loader(blobs((1, 16, 16)), 8, CPU)
    return state, list(train(game, state, loader, Goal(images=8 * count), 0.05))


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_every_step_of_every_gan_is_measured(name, begin, small, blobs):
    _, steps = steps_of(begin, small, blobs, name, EVERY + 2)
    always = {"loss_d", "loss_g", "r_t", "spread_real", "spread_fake", "gradient_d"}
    seldom = {"update_d", "update_g", "features_real", "features_fake"}
    for number, event in enumerate(steps):
        assert always <= event.scalars.keys()
        assert (seldom <= event.scalars.keys()) == (number % EVERY == 0)
        assert bool(seldom & event.scalars.keys()) == (number % EVERY == 0)
        assert all(value >= 0 for name, value in event.scalars.items() if name in seldom)


@pytest.mark.parametrize("loss", ADVERSARIAL_LOSSES)
def test_what_is_logged_of_logits_means_something(loss, begin, small, blobs):
    """Logits of losses that compare images may all be moved by 5: only their difference counts."""
    rule = ADVERSARIAL_LOSSES[loss].loss
    _, steps = steps_of(begin, small, blobs, "dcgan", 2, loss=loss)
    alone, compared = {"d_real", "d_fake"}, {"logit_gap"}
    moved = [drawn(64), drawn(64, seed=1)]
    before, after = (
        rule.discriminator(*(logits + shift for logits in moved), 1.0) for shift in (0.0, 5.0)
    )
    same = torch.allclose(before, after, atol=1e-5)
    for event in steps:
        assert event.scalars.keys() & (alone | compared) == (compared if same else alone)


def test_chance_is_a_half(begin):
    """D(real) of an undecided discriminator, whatever the loss calls undecided."""
    for spec in ADVERSARIAL_LOSSES.values():
        if spec.loss.undecided is not None:
            logits = torch.full((4,), spec.loss.undecided)
            logged = about_logits(torch.zeros(()), logits, logits, spec.loss)
            assert logged["d_real"] == logged["d_fake"] == 0.5


def test_a_larger_rate_moves_weights_further(begin, small, blobs):
    def first(rate):
        _, steps = steps_of(begin, small, blobs, "dcgan", 1, lr_g=rate, lr_d=rate)
        return steps[0].scalars

    slow, fast = first(1e-4), first(1e-3)
    assert fast["update_d"] == pytest.approx(10 * slow["update_d"], rel=0.01)
    assert fast["update_g"] == pytest.approx(10 * slow["update_g"], rel=0.01)


def test_a_player_that_rests_does_not_move(begin, small, blobs):
    _, steps = steps_of(begin, small, blobs, "dcgan", 1, skip_d_below=100.0)
    assert "update_d" not in steps[0].scalars
    assert steps[0].scalars["update_g"] > 0
