"""Losses and gradients against plain differentiation of the whole image."""

import pytest
import torch
from torch.nn import functional as F

from ganvas.pretrained.examples import example
from ganvas.pretrained.vgg19 import VGG19, stride
from ganvas.style import losses
from ganvas.style.masks import Mask
from ganvas.style.objective import Region, Wanted, activations, distance, style_of

STYLE = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
CONTENT = ["relu4_2"]
WHOLE = 4096


@pytest.fixture(scope="module")
def network():
    return VGG19.load()


@pytest.fixture(scope="module")
def photograph():
    return example("moose", 160)


@pytest.fixture(scope="module")
def painting():
    return example("night_cafe", 128)


def halves(image):
    """Two overlapping masks that are not aligned with anything."""
    height, width = image.shape[2:]
    left = torch.linspace(1.4, -0.4, width).clamp(0, 1).expand(height, width)
    return [Mask(left), Mask(1 - left)]


def wanted(network, photograph, painting, style_loss, masks):
    style = style_of(network, painting, STYLE, WHOLE)
    return Wanted(
        content=activations(network, photograph.flip(3), CONTENT, WHOLE),
        content_weights={"relu4_2": 0.3},
        regions=tuple(
            Region({layer: style_loss(style[layer]) for layer in STYLE[i:]}, mask)
            for i, mask in enumerate(masks)
        ),
    )


def plainly(network, image, goal):
    """The same by automatic differentiation from end to end."""
    image = image.clone().requires_grad_()
    seen = network(image, [*CONTENT, *STYLE])
    content = 0.3 * F.mse_loss(seen["relu4_2"], goal.content["relu4_2"])
    style = 0.0
    for region in goal.regions:
        for layer, distance_to in region.style.items():
            flat = seen[layer].flatten(2)[0].T
            weights = region.mask and region.mask.levels[stride(layer)].flatten()
            share = region.mask.share if region.mask else 1
            style = style + share * distance_to(losses.moments(flat, weights))
    (content + style).backward()
    return float(content.detach()), float(style.detach()), image.grad


@pytest.mark.parametrize("style_loss", [losses.gram, losses.wasserstein])
@pytest.mark.parametrize("side", [WHOLE, 96])
@pytest.mark.parametrize("divided", [False, True])
def test_the_gradient_is_that_of_the_whole_image(
    side, divided, style_loss, network, photograph, painting
):
    masks = halves(photograph) if divided else [None]
    goal = wanted(network, photograph, painting, style_loss, masks)
    content, style, gradient = plainly(network, photograph, goal)
    found = distance(network, photograph, goal, side)
    assert found.content == pytest.approx(content, rel=1e-4)
    assert found.style == pytest.approx(style, rel=1e-4)
    assert float((found.gradient - gradient).norm() / gradient.norm()) < 1e-3


def test_bf16_leads_nearly_the_same_way(network, photograph, painting):
    goal = wanted(network, photograph, painting, losses.wasserstein, [None])
    exact = distance(network, photograph, goal, WHOLE).gradient
    coarse = VGG19.load(dtype=torch.bfloat16)
    goal = wanted(coarse, photograph, painting, losses.wasserstein, [None])
    found = distance(coarse, photograph, goal, WHOLE).gradient
    assert torch.cosine_similarity(found.flatten(), exact.flatten(), dim=0) > 0.9


def test_blocks_see_what_the_whole_image_shows(network, photograph):
    one, many = (activations(network, photograph, [*CONTENT, *STYLE], s) for s in (WHOLE, 96))
    for layer, expected in one.items():
        assert float((many[layer] - expected).abs().max()) < 1e-3 * float(expected.max()), layer
