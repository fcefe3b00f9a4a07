"""Colours against published values, and what is kept and what is taken."""

import pytest
import torch

from ganvas.pretrained.examples import example
from ganvas.style import colour


def test_oklab_of_the_primaries_is_as_published():
    # Björn Ottosson's values for white, red and blue of sRGB.
    image = torch.tensor([[1.0, 1, 1], [1, 0, 0], [0, 0, 1]]).T[None, :, :, None]
    found = colour.oklab(image)[0, :, :, 0].T
    expected = [[1.0, 0, 0], [0.62796, 0.22486, 0.12585], [0.45201, -0.03246, -0.31153]]
    torch.testing.assert_close(found, torch.tensor(expected), atol=2e-4, rtol=0)


def test_there_and_back_again():
    image = example("moose", 64)
    torch.testing.assert_close(colour.from_oklab(colour.oklab(image)), image, atol=1e-3, rtol=0)


def test_recoloured_images_have_the_wanted_mean_and_covariance():
    image = 0.25 + 0.4 * example("moose", 64)  # far from the limits, where nothing is clamped
    like = 0.4 + 0.2 * example("night_cafe", 64)
    found = colour.recolour(image, like).flatten(2)[0]
    wanted = like.flatten(2)[0]
    torch.testing.assert_close(found.mean(1), wanted.mean(1), atol=2e-3, rtol=0)
    torch.testing.assert_close(torch.cov(found), torch.cov(wanted), atol=1e-3, rtol=0)


def test_an_image_recoloured_like_itself_stays():
    image = example("moose", 64)
    torch.testing.assert_close(colour.recolour(image, image), image, atol=1e-3, rtol=0)


@pytest.mark.parametrize("like", [torch.full((1, 3, 8, 8), 0.4), colour.grey(example("moose", 64))])
def test_flat_and_grey_images_have_colours_too(like):
    image = example("night_cafe", 64)
    for one, other in ((image, like), (like, image)):
        found = colour.recolour(one, other)
        assert torch.isfinite(found).all()
        torch.testing.assert_close(found.mean((2, 3)), other.mean((2, 3)), atol=0.05, rtol=0)


def test_colours_of_one_and_lightness_of_another():
    image, like = example("night_cafe", 64)[:, :, :40, :60], example("moose", 64)[:, :, :40, :60]
    found = colour.oklab(colour.with_colours_of(0.3 + 0.4 * image, 0.3 + 0.2 * like))
    lightness = colour.oklab(0.3 + 0.4 * image)[:, :1]
    torch.testing.assert_close(found[:, :1], lightness, atol=0.01, rtol=0)
    torch.testing.assert_close(
        found[:, 1:], colour.oklab(0.3 + 0.2 * like)[:, 1:], atol=0.01, rtol=0
    )


def test_grey_is_without_colours():
    found = colour.grey(example("moose", 64))
    torch.testing.assert_close(found, found.mean(1, keepdim=True).expand(1, 3, -1, -1))
