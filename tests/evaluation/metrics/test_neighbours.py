import pytest
import torch

from ganvas.evaluation.metrics import METRICS, NeighbourShares, neighbour_shares


def normal(n, d, seed):
    return torch.randn(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def radius(points, i, k):
    return sorted(float((points[i] - p).norm()) for j, p in enumerate(points) if j != i)[k - 1]


def by_loops(real, fake, k):
    real_radii = [radius(real, i, k) for i in range(len(real))]
    fake_radii = [radius(fake, j, k) for j in range(len(fake))]
    precise = dense = covered = recalled = 0
    for f in fake:
        holders = sum(
            float((r - f).norm()) <= size for r, size in zip(real, real_radii, strict=True)
        )
        precise, dense = precise + (holders > 0), dense + holders
    for r, size in zip(real, real_radii, strict=True):
        gaps = [float((r - f).norm()) for f in fake]
        covered += min(gaps) <= size
        recalled += any(gap <= reach for gap, reach in zip(gaps, fake_radii, strict=True))
    n, m = len(real), len(fake)
    return NeighbourShares(precise / m, recalled / n, dense / (k * m), covered / n)


def as_list(found):
    return [found.precision, found.recall, found.density, found.coverage]


@pytest.mark.parametrize("k", [1, 3, 5])
def test_agrees_with_loops_over_all_pairs(monkeypatch, k):
    monkeypatch.setattr("ganvas.evaluation.metrics.neighbours.BLOCK", 7)
    real, fake = normal(40, 3, 0), 0.6 * normal(30, 3, 1) + 0.4
    assert as_list(neighbour_shares(real, fake, k)) == pytest.approx(
        as_list(by_loops(real, fake, k))
    )


def test_two_samples_of_one_gaussian_have_the_coverage_known_from_theory():
    # Naeem et al. (2020), equation 9: 1 - (N-1)...(N-k) / ((2N-1)...(2N-k)), about 1 - 2^-k.
    found = neighbour_shares(normal(1000, 8, 0), normal(1000, 8, 1))
    assert found.coverage == pytest.approx(1 - 2**-5, abs=0.02)
    assert found.density == pytest.approx(1, abs=0.15)


def test_a_set_is_all_near_itself():
    features = normal(50, 4, 0).float()
    found = neighbour_shares(features, features.clone())
    # Each of the k neighbours that reach the border of a ball counts, and its owner too.
    assert as_list(found) == pytest.approx([1, 1, 6 / 5, 1])


def test_copies_of_one_image_are_precise_and_cover_little():
    real = normal(100, 4, 0)
    found = neighbour_shares(real, real[:1].expand(100, -1))
    assert found.precision == 1
    assert found.recall == 0.01
    assert found.coverage < 0.15


def test_a_missing_mode_lowers_recall_and_coverage_only():
    modes = torch.tensor([[0.0, 0.0], [50.0, 0.0]]).repeat(100, 1)
    real, fake = modes + normal(200, 2, 0), (modes + normal(200, 2, 1))[::2]
    found = neighbour_shares(real, fake)
    assert found.precision > 0.9
    assert found.density > 0.8
    assert found.recall <= 0.5
    assert found.coverage <= 0.5


@pytest.mark.parametrize("k", [0, -1])
def test_a_ball_needs_a_neighbour(k):
    with pytest.raises(ValueError, match="k must be 1 or more"):
        neighbour_shares(normal(9, 2, 0), normal(9, 2, 1), k)


def test_too_few_images_are_refused():
    with pytest.raises(ValueError, match=r"5 fake images.*at least 6"):
        neighbour_shares(normal(9, 2, 0), normal(5, 2, 1))


def test_every_metric_of_the_catalogue_prefers_the_better_sample():
    real, good, bad = normal(300, 4, 0), normal(300, 4, 1), 0.3 * normal(300, 4, 2) + 2
    for metric in METRICS.values():
        better, worse = metric.function(real, good), metric.function(real, bad)
        assert (better < worse) == (metric.better == "lower"), metric.summary
