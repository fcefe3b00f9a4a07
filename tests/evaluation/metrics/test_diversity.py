import pytest
import torch

from ganvas.evaluation.metrics import pairwise_diversity


def drawn(count, seed, side=32):
    random = torch.Generator().manual_seed(seed)
    return 0.5 * torch.randn(count, 3, side, side, generator=random)


def test_is_the_mean_difference_of_all_pairs():
    images = drawn(20, 0, side=4)
    pairs = [(a - b).square().mean() for i, a in enumerate(images) for b in images[:i]]
    expected = torch.stack(pairs).mean().sqrt()
    found = pairwise_diversity(images, images)
    assert found.real == pytest.approx((float(expected),), rel=1e-5)
    assert found.ratio == pytest.approx(1)


def test_bands_add_up_to_the_image():
    from torch.nn import functional as F

    from ganvas.evaluation.metrics.diversity import _bands

    images = drawn(3, 0, side=40)
    coarsest, *finer = _bands(images)
    for band in finer:
        coarsest = band + F.interpolate(coarsest, band.shape[2:], mode="bilinear")
    torch.testing.assert_close(coarsest, images)


def test_one_image_over_and_over_has_none():
    found = pairwise_diversity(drawn(50, 0), drawn(1, 1).repeat(50, 1, 1, 1))
    assert found.ratio < 1e-5


def test_the_scale_that_lacks_variety_is_seen():
    real = drawn(200, 0)
    blurred = torch.nn.functional.avg_pool2d(real, 5, 1, 2)
    ratios = pairwise_diversity(real, blurred).ratios
    assert ratios[-1] < 0.3 < ratios[0]


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match="of one size"):
        pairwise_diversity(drawn(5, 0), drawn(5, 0, side=16))
    with pytest.raises(ValueError, match="two of each"):
        pairwise_diversity(drawn(5, 0), drawn(1, 0))
