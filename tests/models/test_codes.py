"""Codes of images: normal over real images, near for similar ones, and nothing for no images."""

import pytest
import torch

from ganvas.models.codes import Codes
from ganvas.models.projected import ProjectedDiscriminator

COUNT = 6


def averages(count, seed=0):
    """Skewed features of a few hidden causes."""
    random = torch.Generator().manual_seed(seed)
    causes = torch.rand(count, 10, generator=random).pow(3)
    return causes @ torch.randn(10, 40, generator=torch.Generator().manual_seed(1))


def measured(count=3000):
    codes = Codes(40, COUNT)
    codes.measure(averages(count))
    return codes


def test_every_number_is_normal_over_new_images():
    found = measured()(averages(3000, seed=2))
    assert found.shape == (3000, COUNT)
    assert float(found.mean(0).abs().max()) < 0.1
    assert float((found.std(0) - 1).abs().max()) < 0.1
    beyond = (found.abs() > 1.96).double().mean(0)
    assert float((beyond - 0.05).abs().max()) < 0.025
    correlations = torch.corrcoef(found.T) - torch.eye(COUNT)
    assert float(correlations.abs().max()) < 0.2


def test_similar_images_have_similar_codes():
    codes, images = measured(), averages(200, seed=3)
    near = codes(images + 0.01 * torch.randn(images.shape, generator=torch.manual_seed(0)))
    distances = torch.cdist(codes(images), near)
    assert (distances.argmin(1) == torch.arange(200)).double().mean() > 0.95


def test_a_code_is_that_of_one_image_whatever_is_beside_it():
    codes, images = measured(), averages(8, seed=4)
    torch.testing.assert_close(codes(images)[3:4], codes(images[3:4]))


@pytest.mark.parametrize("count", [1, 3])
def test_few_images_have_codes_of_fewer_numbers(count):
    codes = Codes(40, COUNT)
    codes.measure(averages(count))
    found = codes(averages(50, seed=5))
    assert torch.isfinite(found).all()
    assert (found[:, max(count - 1, 1) :] == 0).all()


def test_images_that_are_all_alike_have_finite_codes():
    codes = Codes(40, COUNT)
    codes.measure(torch.ones(20, 40))
    assert torch.isfinite(codes(torch.ones(2, 40))).all()


def test_codes_of_other_features_of_the_same_images_mean_the_same():
    full, images = measured(), averages(3000)
    random = torch.Generator().manual_seed(6)
    turned = images @ torch.randn(40, 60, generator=random) + 3
    other = Codes(60, COUNT)
    other.follow(turned, full.components(images))
    together = torch.stack([full(images), other(turned)])
    for number in range(COUNT):
        assert float(torch.corrcoef(together[:, :, number])[0, 1]) > 0.95


def test_images_are_encoded_alike_in_any_micro_batch():
    projected = ProjectedDiscriminator((32, 32), latent=8)
    images = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    projected.standardise(images)
    projected.measure(images.split(4))
    whole, part = (
        projected.matching.encode(projected.look(shown, first).activations)
        for shown, first in ((images, 0), (images[4:], 4))
    )
    assert whole.shape == (6, 4)
    torch.testing.assert_close(part, whole[4:], rtol=0, atol=0.02)
