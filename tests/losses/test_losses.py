"""Losses against numbers worked out by hand and independent formulas."""

from math import exp, log, log1p

import pytest
import torch

from ganvas.losses import ADVERSARIAL_LOSSES
from ganvas.losses.vae import divergence, reconstruction

REAL, FAKE = torch.tensor([2.0, -1.0, 0.5]), torch.tensor([0.3, -2.0, 1.5])


def sigmoid(x):
    return 1 / (1 + exp(-x))


def mean(values):
    values = list(values)
    return sum(values) / len(values)


BY_HAND = {
    "bce": (
        lambda r, f: mean(-log(sigmoid(x)) for x in r) + mean(-log(1 - sigmoid(x)) for x in f),
        lambda r, f: mean(-log(sigmoid(x)) for x in f),
    ),
    "saturating": (
        lambda r, f: mean(-log(sigmoid(x)) for x in r) + mean(-log(1 - sigmoid(x)) for x in f),
        lambda r, f: mean(log(1 - sigmoid(x)) for x in f),
    ),
    "least-squares": (
        lambda r, f: 0.5 * mean((x - 1) ** 2 for x in r) + 0.5 * mean(x**2 for x in f),
        lambda r, f: 0.5 * mean((x - 1) ** 2 for x in f),
    ),
    "hinge": (
        lambda r, f: mean(max(0, 1 - x) for x in r) + mean(max(0, 1 + x) for x in f),
        lambda r, f: -mean(f),
    ),
    "wasserstein": (lambda r, f: mean(f) - mean(r), lambda r, f: -mean(f)),
    "relativistic-hinge": (
        lambda r, f: (
            mean(max(0, 1 - (x - mean(f))) for x in r) + mean(max(0, 1 + x - mean(r)) for x in f)
        ),
        lambda r, f: (
            mean(max(0, 1 - (x - mean(r))) for x in f) + mean(max(0, 1 + x - mean(f)) for x in r)
        ),
    ),
    "relativistic": (
        lambda r, f: mean(log1p(exp(b - a)) for a, b in zip(r, f, strict=True)),
        lambda r, f: mean(log1p(exp(a - b)) for a, b in zip(r, f, strict=True)),
    ),
}


def test_every_loss_is_checked_by_hand():
    assert BY_HAND.keys() == ADVERSARIAL_LOSSES.keys()


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_losses_are_what_their_papers_say(name):
    loss, (discriminator, generator) = ADVERSARIAL_LOSSES[name].loss, BY_HAND[name]
    real, fake = REAL.tolist(), FAKE.tolist()
    assert float(loss.discriminator(REAL, FAKE, 1.0)) == pytest.approx(discriminator(real, fake))
    assert float(loss.generator(REAL, FAKE)) == pytest.approx(generator(real, fake))


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_players_want_opposite_things(name):
    loss = ADVERSARIAL_LOSSES[name].loss
    real, fake = torch.zeros(4), torch.zeros(4, requires_grad=True)
    (up,) = torch.autograd.grad(loss.discriminator(real, fake + 0.1, 1.0), fake)
    (down,) = torch.autograd.grad(loss.generator(real, fake), fake)
    assert (up > 0).all()
    assert (down < 0).all()


@pytest.mark.parametrize("name", ["bce", "least-squares"])
def test_a_smoothed_label_is_where_the_loss_is_least(name):
    loss = ADVERSARIAL_LOSSES[name].loss
    real = torch.tensor([log(0.9 / 0.1) if name == "bce" else 0.9], requires_grad=True)
    (gradient,) = torch.autograd.grad(loss.discriminator(real, torch.zeros(1), 0.9), real)
    assert float(gradient) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_extreme_scores_stay_finite(name):
    loss = ADVERSARIAL_LOSSES[name].loss
    extreme = torch.tensor([-1e4, 1e4])
    assert torch.isfinite(loss.discriminator(extreme, extreme.flip(0), 1.0))
    assert torch.isfinite(loss.generator(extreme, extreme.flip(0)))


def test_divergence_against_torch_distributions():
    mean_, log_variance = torch.randn(5, 7), torch.randn(5, 7)
    drawn = torch.distributions.Normal(mean_, (log_variance / 2).exp())
    prior = torch.distributions.Normal(torch.zeros(7), torch.ones(7))
    expected = torch.distributions.kl_divergence(drawn, prior).sum(1).mean()
    torch.testing.assert_close(divergence(mean_, log_variance), expected)


def test_reconstruction_by_hand():
    rebuilt, real = torch.zeros(2, 1, 2, 2), torch.full((2, 1, 2, 2), 0.5)
    assert float(reconstruction(rebuilt, real)) == pytest.approx(4 * 0.25)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bce", 2 * log(2)),
        ("saturating", 2 * log(2)),
        ("least-squares", 0.25),
        ("hinge", 2.0),
        ("relativistic", log(2)),
        ("relativistic-hinge", 2.0),
        ("wasserstein", 0.0),
    ],
)
def test_the_loss_of_whoever_cannot_tell(name, expected):
    assert ADVERSARIAL_LOSSES[name].loss.chance == pytest.approx(expected)
