"""Losses against numbers worked out by hand, scipy, and finite differences."""

import numpy as np
import pytest
import scipy.linalg
import torch

from ganvas.style import losses
from ganvas.style.losses import Moments


def drawn(channels=6, positions=40, seed=0, dtype=torch.float64):
    stream = torch.Generator().manual_seed(seed)
    return torch.randn(positions, channels, generator=stream, dtype=dtype).relu()


def of(flat):
    """In the precision of the activations: `losses.moments` is fp32."""
    return Moments(flat.mean(0), flat.T @ flat / len(flat))


TWO = torch.tensor([[1.0, 0.0], [3.0, 2.0]])  # two channels at two places


def test_moments_are_means_over_positions():
    found = losses.moments(TWO)
    assert found.mean.tolist() == [2.0, 1.0]
    assert found.second.tolist() == [[5.0, 3.0], [3.0, 2.0]]
    assert found.covariance.tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_moments_agree_with_numpy():
    flat = drawn(dtype=torch.float32)
    found = losses.moments(flat.to(torch.bfloat16))
    assert found.mean.dtype == torch.float32
    rounded = flat.to(torch.bfloat16).double().numpy()
    np.testing.assert_allclose(found.covariance, np.cov(rounded.T, bias=True), atol=1e-5)


def test_rounded_sums_of_short_pieces_are_as_good_as_exact_ones():
    stream = torch.Generator().manual_seed(0)
    flat = torch.randn(20_001, 24, generator=stream).relu().to(torch.bfloat16)
    assert len(flat) > losses.MANY * losses.SHORT_PIECE
    found, exact = losses.moments(flat), of(flat.double())
    torch.testing.assert_close(found.mean.double(), exact.mean, rtol=2e-3, atol=0)
    torch.testing.assert_close(found.second.double(), exact.second, rtol=2e-3, atol=0)


def test_positions_count_by_their_weights():
    flat, weights = drawn(dtype=torch.float32), torch.rand(40)
    found = losses.moments(flat, weights)
    expected = np.cov(flat.double().numpy().T, bias=True, aweights=weights.double().numpy())
    np.testing.assert_allclose(found.covariance, expected, atol=1e-5)
    twice = losses.moments(torch.cat([flat, flat[:7]]))
    same = losses.moments(flat, torch.tensor([2.0] * 7 + [1.0] * 33))
    torch.testing.assert_close(twice.second, same.second)


def test_styles_blend_as_the_union_of_their_images():
    one, other = drawn(seed=1), drawn(seed=2)
    found = losses.blend([of(one), of(other)], [2, 2])
    union = of(torch.cat([one, other]))
    torch.testing.assert_close(found.mean, union.mean)
    torch.testing.assert_close(found.second, union.second)
    assert torch.equal(losses.blend([of(one), of(other)], [3, 0]).mean, of(one).mean)


def test_content_is_a_sum_of_squares():
    loss, gradient = losses.content(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 5.0]]))
    assert (float(loss), gradient.tolist()) == (10.0, [[2.0, -6.0]])


def test_the_gradient_of_content_is_that_of_finite_differences():
    flat, target = drawn(seed=1), drawn(seed=2)
    step = 1e-2 * torch.eye(6, dtype=torch.float64)[3]
    more, less = (losses.content(flat + s, target)[0] for s in (step, -step))
    gradient = losses.content(flat, target)[1][:, 3].sum()
    assert float((more - less) / 2e-2) == pytest.approx(float(gradient), rel=1e-4)


def test_gram_is_the_mean_square_of_the_difference_of_products():
    nothing = losses.moments(torch.zeros(2, 2))
    assert float(losses.gram(nothing)(losses.moments(TWO))) == (25 + 9 + 9 + 4) / 4


def test_wasserstein_agrees_with_scipy(monkeypatch):
    monkeypatch.setattr(losses, "PRINCIPAL", 1.0)  # all of the wanted variance
    one, other = of(drawn(seed=1)), of(drawn(seed=2))
    a, b = (m.covariance.numpy() for m in (one, other))
    half = scipy.linalg.sqrtm(b)
    cross = scipy.linalg.sqrtm(half @ a @ half).real
    apart = ((one.mean - other.mean).numpy() ** 2).sum()
    expected = (apart + np.trace(a + b - 2 * cross)) / len(a)
    assert float(losses.wasserstein(other)(one)) == pytest.approx(expected, rel=1e-6)


def test_what_is_left_out_of_the_wanted_variance_hardly_counts(monkeypatch):
    one, other = of(drawn(40, 200, seed=1)), of(drawn(40, 200, seed=2))
    few = float(losses.wasserstein(other)(one))
    left_out = (1 - losses.PRINCIPAL) * float(other.covariance.trace()) / 40
    monkeypatch.setattr(losses, "PRINCIPAL", 1.0)
    every = float(losses.wasserstein(other)(one))
    assert abs(few**0.5 - every**0.5) < left_out**0.5  # the triangle inequality


def test_principal_axes_span_most_of_a_covariance():
    covariance = torch.diag(torch.tensor([4.0, 1.0, 1e-5]))
    axes = losses.principal_axes(covariance)
    assert axes.shape == (3, 2)
    torch.testing.assert_close(axes @ axes.T, covariance, atol=2e-5, rtol=0)
    assert losses.principal_axes(torch.zeros(3, 3)).shape == (3, 1)  # a flat image


def test_wasserstein_of_commuting_gaussians_is_elementary():
    mean, other = torch.tensor([1.0, -2.0]).double(), torch.tensor([0.0, 1.0]).double()
    variances, wanted = torch.tensor([4.0, 9.0]).double(), torch.tensor([1.0, 25.0]).double()
    one = Moments(mean, torch.diag(variances) + torch.outer(mean, mean))
    two = Moments(other, torch.diag(wanted) + torch.outer(other, other))
    by_hand = ((1 + 9) + (2 - 1) ** 2 + (3 - 5) ** 2) / 2
    assert float(losses.wasserstein(two)(one)) == pytest.approx(by_hand)


def test_nothing_is_as_near_as_the_style_itself():
    style = of(drawn(seed=3))
    itself = float(losses.wasserstein(style)(style))
    assert itself == pytest.approx(0, abs=1e-3)
    assert float(losses.gram(style)(style)) == 0
    for seed in range(5):
        assert float(losses.wasserstein(style)(of(drawn(seed=seed + 10)))) > itself + 1e-3


@pytest.mark.parametrize("loss", [losses.gram, losses.wasserstein])
def test_gradients_are_those_of_finite_differences(loss):
    distance = loss(of(drawn(5, 30, seed=7)))
    flat = (drawn(5, 30, seed=8) + 0.01).requires_grad_()
    assert torch.autograd.gradcheck(lambda f: distance(of(f)), (flat,))


def test_the_gradient_is_finite_where_eigenvalues_are_equal_or_nothing():
    for wanted in (torch.eye(4), torch.zeros(4, 4)):
        distance = losses.wasserstein(Moments(torch.zeros(4), wanted))
        for second in (torch.eye(4), torch.zeros(4, 4), torch.diag(torch.tensor([1.0, 1, 0, 0]))):
            second = second.requires_grad_()
            distance(Moments(torch.zeros(4), second)).backward()
            assert torch.isfinite(second.grad).all()


@pytest.mark.parametrize("failure", ["error", "nan"])
def test_decompositions_that_fail_in_fp32_are_done_in_fp64(failure, monkeypatch):
    matrix = torch.cov(torch.rand(5, 9, generator=torch.Generator().manual_seed(0)))
    expected = torch.linalg.eigvalsh(matrix)
    decompose = torch.linalg.eigh

    def failing(given):
        if given.dtype == torch.float32 and failure == "error":
            raise torch.linalg.LinAlgError
        if given.dtype == torch.float32:
            return torch.full((5,), torch.nan), torch.full((5, 5), torch.nan)
        return decompose(given)

    monkeypatch.setattr(torch.linalg, "eigh", failing)
    values, vectors = losses.eigh(matrix)
    assert values.dtype == vectors.dtype == torch.float32
    torch.testing.assert_close(values, expected)


def varied(image):
    return sum(losses.variation(image))


def test_variation_of_a_ramp_and_of_a_flat_image():
    flat = torch.full((1, 3, 5, 7), 0.3)
    assert float(varied(flat)) == 0
    ramp = torch.arange(8.0)[None, None, None].expand(1, 1, 8, 8)
    # Differences of one to the right at 56 of 64 pixels, along both diagonals at 49; none below.
    assert float(varied(ramp)) == pytest.approx((56 * 2 / 3 + 2 * 49 / 6) / 64)


def test_variation_gradients_are_those_of_finite_differences():
    image = torch.rand(1, 2, 5, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(varied, (image,))
