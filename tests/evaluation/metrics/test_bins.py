import math
from statistics import NormalDist

import pytest
import torch
from scipy.spatial.distance import jensenshannon
from scipy.special import erfc

from ganvas.evaluation.metrics import bins
from ganvas.evaluation.metrics.bins import BINS, SIGNIFICANCE


def clusters(counts, seed=0):
    """So many points around each of the corners of a cube."""
    random = torch.Generator().manual_seed(seed)
    centres = 10 * torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3)
    return torch.cat(
        [
            centre + 0.1 * torch.randn(count, 3, generator=random)
            for centre, count in zip(centres, counts, strict=False)
        ]
    )


def test_identical_sets_differ_in_no_bin():
    points = clusters([50] * 8)
    found = bins(points, points)
    assert found.share == 0
    assert found.divergence == pytest.approx(0, abs=1e-12)
    assert not len(found.missing)


def test_a_kind_that_is_never_generated_is_found_and_shown():
    real, fake = clusters([100] * 8), clusters([114] * 7, seed=1)
    found = bins(real, fake, count=8)
    assert found.different.sum() == 1
    (missing,) = found.missing
    assert set(torch.nonzero(found.of_real == missing).flatten().tolist()) == set(range(700, 800))
    assert found.fake[missing] == 0


def test_chance_alone_makes_about_a_twentieth_different():
    def drawn(seed):
        return torch.randn(4000, 4, generator=torch.Generator().manual_seed(seed))

    shares = [bins(drawn(2 * s), drawn(2 * s + 1), count=50, seed=s).share for s in range(4)]
    assert 0 < sum(shares) / 4 < 0.12


def test_agrees_with_the_tests_of_scipy():
    real, fake = clusters([100] * 8), clusters([60, 140, 90, 110, 100, 100, 120, 80], seed=1)
    found = bins(real, fake, count=8)
    assert len(real) == len(fake) == 800
    pooled = (found.real + found.fake) / 2
    z = (found.real - found.fake).abs() / (pooled * (1 - pooled) * 2 / 800).sqrt()
    p_values = torch.from_numpy(erfc(z.numpy() / math.sqrt(2)))  # two-sided
    assert torch.equal(found.different, p_values < 0.05)
    assert pytest.approx(NormalDist().inv_cdf(0.975), abs=1e-3) == SIGNIFICANCE
    expected = jensenshannon(found.real.numpy(), found.fake.numpy()) ** 2
    assert found.divergence == pytest.approx(expected)


def test_the_divergence_of_disjoint_sets_is_ln_2():
    found = bins(clusters([100, 100]), clusters([0, 0, 100, 100]), count=2)
    assert found.share in (0.0, 1.0), "two bins hold everything, wherever it lies"
    far = bins(torch.cat([clusters([100]), clusters([0, 100])]), clusters([200]), count=2)
    assert 0 < far.divergence < math.log(2)
    assert far.share == 1


def test_few_images_get_few_bins():
    points = torch.randn(200, 5, generator=torch.Generator().manual_seed(0))
    assert len(bins(points, points).real) == 20
    many = points.repeat(10, 1)
    assert len(bins(many, many).real) == BINS


def test_one_image_over_and_over_makes_no_error():
    same = torch.ones(100, 5)
    assert bins(same, same).share == 0


def test_too_few_rows_are_refused():
    with pytest.raises(ValueError, match="at least 20"):
        bins(torch.randn(19, 3), torch.randn(40, 3))
