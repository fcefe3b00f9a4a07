import math

import pytest
import torch
from scipy.spatial.distance import pdist, squareform

from ganvas.evaluation.metrics import duplicates


def drawn(count, seed, dimensions=6):
    return torch.randn(count, dimensions, generator=torch.Generator().manual_seed(seed)).double()


def test_agrees_with_all_pairs_of_scipy():
    real, fake = drawn(300, 0), 0.6 * drawn(400, 1)
    found = duplicates(real, fake)
    assert found.samples == 300
    apart = squareform(pdist(real.numpy())) + 1e9 * torch.eye(300).numpy()
    radius = torch.from_numpy(apart.min(1)).quantile(0.01)
    assert found.radius == pytest.approx(float(radius))
    between = pdist(fake[:300].numpy())
    assert found.pairs == (between < float(radius)).sum()
    nearest = (squareform(between) + 1e9 * torch.eye(300).numpy()).min(1)
    assert found.share == (nearest < float(radius)).mean()


def test_copies_are_counted_and_give_the_number_of_different_images():
    real, kinds = drawn(2000, 0), drawn(50, 1)
    random = torch.Generator().manual_seed(2)
    chosen = torch.randint(50, (2000,), generator=random)
    fake = kinds[chosen] + 1e-6 * drawn(2000, 3)
    found = duplicates(real, fake)
    assert found.share > 0.999
    assert found.distinct == pytest.approx(50, rel=0.05)


def test_real_images_among_themselves_have_next_to_none():
    found = duplicates(drawn(1000, 0), drawn(1000, 1))
    assert 0 < found.share < 0.03


def test_without_a_pair_the_number_is_unknown():
    found = duplicates(drawn(100, 0), 100 * drawn(100, 1))
    assert (found.share, found.pairs) == (0, 0)
    assert math.isinf(found.distinct)
