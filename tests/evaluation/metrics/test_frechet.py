import numpy as np
import pytest
import scipy.linalg
import torch

from ganvas.evaluation.metrics import frechet_distance


def by_scipy(real, fake):
    a, b = np.cov(real.numpy().T), np.cov(fake.numpy().T)
    root = scipy.linalg.sqrtm(a @ b).real
    shift = real.numpy().mean(0) - fake.numpy().mean(0)
    return shift @ shift + np.trace(a + b - 2 * root)


def normal(n, d, seed):
    return torch.randn(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def whitened(x):
    """The same rows with a mean of exactly zero and a covariance of exactly one."""
    x = x - x.mean(0)
    return x @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(x.T))).T


def test_agrees_with_scipys_matrix_square_root():
    mix = normal(12, 12, 3)
    real, fake = normal(300, 12, 1) @ mix, normal(200, 12, 2) + 0.5
    assert frechet_distance(real, fake) == pytest.approx(by_scipy(real, fake), rel=1e-9)


def test_two_gaussians_with_a_distance_known_on_paper():
    scales, shift = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([3.0, 0.0, 4.0])
    real = whitened(normal(50, 3, 0))
    fake = whitened(normal(60, 3, 1)) * scales + shift
    # |shift|² + sum of (1 - scale)²
    assert frechet_distance(real, fake) == pytest.approx(25 + 0 + 1 + 4, rel=1e-9)


def test_a_set_is_at_no_distance_from_itself_even_with_more_features_than_images():
    features = normal(20, 64, 0)
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-4)


def test_collapsed_features_have_a_finite_distance():
    assert frechet_distance(torch.zeros(10, 4), torch.ones(10, 4)) == pytest.approx(4)


def test_a_missing_mode_is_further_away_than_another_sample():
    modes = torch.tensor([[0.0, 0.0], [8.0, 0.0]]).repeat(100, 1)
    real, same = modes + normal(200, 2, 0), modes + normal(200, 2, 1)
    assert frechet_distance(real, same[::2]) > 20 * frechet_distance(real, same)


@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        (torch.zeros(4, 3), torch.zeros(4, 2), "same feature network"),
        (torch.zeros(1, 3), torch.zeros(4, 3), "1 real images.*at least 2"),
        (torch.zeros(4, 3), torch.zeros(4, 3, 1), r"fake features must have shape \(N, D\)"),
        (torch.zeros(4, 3), torch.full((4, 3), torch.nan), "fake features hold a NaN"),
    ],
)
def test_sets_that_cannot_be_compared_are_refused(real, fake, message):
    with pytest.raises(ValueError, match=message):
        frechet_distance(real, fake)
