"""Penalties on the gradient against discriminators whose gradient is known."""

import pytest
import torch

from ganvas.losses.regularization import between, one_centred, zero_centred
from ganvas.runtime.rng import Stream


def linear(weights, images):
    return (images * weights).sum((1, 2, 3))


def test_a_linear_score_has_the_gradient_of_its_weights():
    weights = torch.randn(3, 4, 5)
    images = torch.randn(7, 3, 4, 5, requires_grad=True)
    length = float(weights.square().sum().sqrt())
    for penalty, expected in ((zero_centred, 0.5 * length**2), (one_centred, (length - 1) ** 2)):
        found = penalty(linear(weights, images), [images])
        assert found.item() == pytest.approx(expected, rel=1e-5)


def test_a_quadratic_score_is_penalised_by_where_the_images_are():
    images = torch.randn(7, 1, 4, 4, requires_grad=True)
    squares = images.detach().square().sum((1, 2, 3))
    found = zero_centred(0.5 * images.square().sum((1, 2, 3)), [images])
    assert found.item() == pytest.approx(0.5 * float(squares.mean()), rel=1e-5)
    found = one_centred(0.5 * images.square().sum((1, 2, 3)), [images])
    assert found.item() == pytest.approx(float((squares.sqrt() - 1).square().mean()), rel=1e-5)


def test_levels_of_a_pyramid_count_alike():
    pyramid = [torch.randn(5, 1, side, side, requires_grad=True) for side in (2, 4)]
    scores = pyramid[0].sum((1, 2, 3)) + 2 * pyramid[1].sum((1, 2, 3))
    assert zero_centred(scores, pyramid).item() == pytest.approx(0.5 * (4 + 4 * 16) / 2, rel=1e-5)


@pytest.mark.parametrize("penalty", [zero_centred, one_centred])
def test_the_penalty_reaches_the_weights(penalty):
    weight = torch.tensor(3.0, requires_grad=True)
    images = torch.randn(2, 1, 4, 4, requires_grad=True)
    penalty(weight * images.sum((1, 2, 3)), [images]).backward()
    by_hand = {zero_centred: 3.0 * 16, one_centred: 2 * (12 - 1) * 4}[penalty]
    assert weight.grad.item() == pytest.approx(by_hand, rel=1e-5)


@pytest.mark.parametrize("penalty", [zero_centred, one_centred])
def test_penalties_agree_with_finite_differences(penalty):
    stream = torch.Generator().manual_seed(0)
    weights, images = (
        torch.randn(shape, generator=stream, dtype=torch.float64)
        for shape in ((3, 8), (5, 1, 2, 4))
    )

    def of(weights):
        leaf = images.clone().requires_grad_()
        scores = (leaf.flatten(1) @ weights.T).tanh().square().sum(1)
        (gradient,) = torch.autograd.grad(scores.sum(), leaf, create_graph=True)
        squares = gradient.square().sum((1, 2, 3))
        return {
            zero_centred: 0.5 * squares.mean(),
            one_centred: (squares.sqrt() - 1).square().mean(),
        }[penalty], penalty(scores, [leaf])

    leaf = weights.clone().requires_grad_()
    exact, found = of(leaf)
    assert found.item() == pytest.approx(exact.item(), rel=1e-5)  # gradients are counted in fp32
    (gradient,) = torch.autograd.grad(found, leaf)
    step = torch.zeros_like(weights)
    step[1, 2] = 1e-4
    rise = (of(weights + step)[0] - of(weights - step)[0]).item() / 2e-4
    assert float(gradient[1, 2]) == pytest.approx(rise, rel=1e-4)


def test_images_between_lie_on_the_line_and_levels_at_the_same_place():
    stream = Stream(torch.Generator().manual_seed(0))
    ones = [torch.zeros(64, 1, side, side) for side in (2, 4)]
    others = [torch.ones(64, 1, side, side) for side in (2, 4)]
    small, large = between(ones, others, stream)
    places = small[:, 0, 0, 0]
    assert 0 <= float(places.min()) < 0.1 < 0.9 < float(places.max()) <= 1
    assert torch.equal(small, places[:, None, None, None].expand_as(small))
    assert torch.equal(large, places[:, None, None, None].expand_as(large))
