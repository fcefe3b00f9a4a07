import pytest
import torch
from scipy.spatial.distance import cdist

from ganvas.evaluation.metrics import nearest_real


def drawn(count, seed, dimensions=6):
    return torch.randn(count, dimensions, generator=torch.Generator().manual_seed(seed)).double()


def test_agrees_with_all_distances_of_scipy():
    real, fake = drawn(300, 0), drawn(200, 1)
    found = nearest_real(real, fake)
    between = cdist(fake.numpy(), real.numpy())
    assert (found.real.numpy() == between.argmin(1)).all()
    torch.testing.assert_close(found.distance, torch.from_numpy(between.min(1)))
    among = cdist(real.numpy(), real.numpy()) + 1e9 * torch.eye(300).numpy()
    torch.testing.assert_close(found.own, torch.from_numpy(among.min(1))[found.real])


def test_copies_are_found_and_come_first():
    real = drawn(300, 0)
    fake = torch.cat([drawn(50, 1), real[:50] + 1e-4 * drawn(50, 2)])
    found = nearest_real(real, fake)
    assert found.copied[50:].all()
    assert set(found.suspicious[:50].tolist()) == set(range(50, 100))
    assert (found.real[50:] == torch.arange(50)).all()


def test_new_images_of_the_same_kind_are_as_near_as_real_ones():
    shares = [nearest_real(drawn(1000, s), drawn(1000, s + 100)).share for s in range(3)]
    assert sum(shares) / 3 == pytest.approx(0.5, abs=0.1)
    assert nearest_real(drawn(500, 0), 5 + drawn(500, 1)).share < 0.1
    assert nearest_real(drawn(500, 0), drawn(500, 0)).share == 1
