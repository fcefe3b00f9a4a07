"""The slope's penalty against discriminators whose slope is known."""

import pytest
import torch

from ganvas.losses.penalties import r1


def test_a_linear_score_has_the_slope_of_its_weights():
    weights = torch.randn(3, 4, 5)
    pictures = torch.randn(7, 3, 4, 5, requires_grad=True)
    penalty = r1((pictures * weights).sum((1, 2, 3)), [pictures])
    assert penalty.item() == pytest.approx(0.5 * float(weights.square().sum()), rel=1e-5)


def test_a_quadratic_score_is_penalised_by_where_the_pictures_are():
    pictures = torch.randn(7, 1, 4, 4, requires_grad=True)
    penalty = r1(0.5 * pictures.square().sum((1, 2, 3)), [pictures])
    expected = 0.5 * pictures.square().sum((1, 2, 3)).mean()
    assert penalty.item() == pytest.approx(expected.item(), rel=1e-5)


def test_views_count_together():
    views = [torch.randn(5, 1, side, side, requires_grad=True) for side in (2, 4)]
    scores = views[0].sum((1, 2, 3)) + 2 * views[1].sum((1, 2, 3))
    assert r1(scores, views).item() == pytest.approx(0.5 * (4 + 4 * 16), rel=1e-5)


def test_the_penalty_teaches_the_discriminator():
    weight = torch.tensor(3.0, requires_grad=True)
    pictures = torch.randn(5, 1, 2, 2, requires_grad=True)
    r1(weight * pictures.sum((1, 2, 3)), [pictures]).backward()
    assert float(weight.grad) == pytest.approx(3.0 * 4)  # d/dw of w^2 * 4 / 2
