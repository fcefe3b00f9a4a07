import math
from itertools import product

import pytest
import torch

from ganvas.evaluation.metrics import kernel, kernel_distance


def normal(n, d, seed):
    return torch.randn(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def k(x, y):
    return (float(x @ y) / len(x) + 1) ** 3


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def distinct(x):
    return mean(k(x[i], x[j]) for i, j in product(range(len(x)), repeat=2) if i != j)


def by_loops(real, fake):
    return distinct(real) + distinct(fake) - 2 * mean(k(x, y) for x, y in product(real, fake))


def test_agrees_with_loops_over_all_pairs(monkeypatch):
    monkeypatch.setattr(kernel, "BLOCK", 7)
    real, fake = normal(23, 5, 0), normal(17, 5, 1) + 0.3
    found = kernel_distance(real, fake)
    assert found.value == pytest.approx(by_loops(real, fake), rel=1e-9)
    spread = mean(k(x, x) for x in real) - distinct(real)
    assert found.relative == pytest.approx(by_loops(real, fake) / spread, rel=1e-9)


def test_is_unbiased():
    found = [kernel_distance(normal(20, 3, 2 * i), normal(20, 3, 2 * i + 1)) for i in range(100)]
    values = torch.tensor([one.value for one in found])
    assert abs(values.mean()) < 3 * values.std() / math.sqrt(100)
    assert values.min() < 0


def test_the_error_is_about_the_scatter_between_samples():
    found = [kernel_distance(normal(200, 3, i), normal(200, 3, 99 + i) + 0.5) for i in range(30)]
    scatter = torch.tensor([one.value for one in found]).std()
    assert 0.7 * scatter < torch.tensor([one.error for one in found]).mean() < 2 * scatter


def test_the_error_does_not_depend_on_chance():
    real, fake = normal(50, 3, 0), normal(50, 3, 1)
    assert kernel_distance(real, fake) == kernel_distance(real, fake)
    assert kernel_distance(real, fake).error != kernel_distance(real, fake, seed=1).error


def test_small_sets_have_no_error():
    assert math.isnan(kernel_distance(normal(19, 3, 0), normal(50, 3, 1)).error)


def test_one_typical_image_over_and_over_is_one_spread_away():
    real = normal(400, 4, 0)
    relative = [kernel_distance(real, real[i : i + 1].expand(9, -1)).relative for i in range(100)]
    assert torch.tensor(relative).mean() == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize(
    ("fake", "relative"), [(torch.zeros(5, 2), 0), (torch.ones(5, 2), math.inf)]
)
def test_a_reference_without_spread(fake, relative):
    assert kernel_distance(torch.zeros(5, 2), fake).relative == relative


def test_a_missing_mode_is_further_away_than_another_sample():
    modes = torch.tensor([[0.0, 0.0], [8.0, 0.0]]).repeat(100, 1)
    real, same = modes + normal(200, 2, 0), modes + normal(200, 2, 1)
    missing = kernel_distance(real, same[::2])
    assert missing.value > 3 * missing.error
    assert missing.value > 20 * abs(kernel_distance(real, same).value)
