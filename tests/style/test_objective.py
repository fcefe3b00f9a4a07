"""Losses and gradients against plain differentiation of the whole picture."""

import pytest

from ganvas.style import losses
from ganvas.style.examples import example
from ganvas.style.features import VGG19
from ganvas.style.objective import Wanted, activations, distance, style_of

STYLE = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
CONTENT = ["relu4_2"]
WHOLE = 4096


@pytest.fixture(scope="module")
def network():
    return VGG19.load()


@pytest.fixture(scope="module")
def photograph():
    return example("moose", 320)


@pytest.fixture(scope="module")
def painting():
    return example("night_cafe", 256)


def wanted(network, photograph, painting, style_loss):
    return Wanted(
        content=activations(network, photograph.flip(3), CONTENT, WHOLE),
        content_weights={"relu4_2": 0.3},
        style=style_of(network, painting, STYLE, WHOLE),
        style_weights={layer: 1.0 + i for i, layer in enumerate(STYLE)},
        style_loss=style_loss,
    )


def plainly(network, picture, goal):
    """The same by automatic differentiation from end to end."""
    picture = picture.clone().requires_grad_()
    seen = network(picture, [*CONTENT, *STYLE])
    content = goal.content_weights["relu4_2"] * losses.content(
        seen["relu4_2"], goal.content["relu4_2"]
    )
    style = sum(
        goal.style_weights[layer] * goal.style_loss(losses.moments(seen[layer]), goal.style[layer])
        for layer in STYLE
    )
    (content + style).backward()
    return float(content.detach()), float(style.detach()), picture.grad


@pytest.mark.parametrize("style_loss", [losses.gram, losses.wasserstein])
@pytest.mark.parametrize("side", [WHOLE, 128])
def test_the_gradient_is_that_of_the_whole_picture(side, style_loss, network, photograph, painting):
    goal = wanted(network, photograph, painting, style_loss)
    content, style, gradient = plainly(network, photograph, goal)
    found = distance(network, photograph, goal, side)
    assert found.content == pytest.approx(content, rel=1e-4)
    assert found.style == pytest.approx(style, rel=1e-4)
    assert float((found.gradient - gradient).norm() / gradient.norm()) < 1e-3


def test_blocks_see_what_the_whole_picture_shows(network, photograph):
    one, many = (activations(network, photograph, [*CONTENT, *STYLE], s) for s in (WHOLE, 96))
    for layer, expected in one.items():
        assert float((many[layer] - expected).abs().max()) < 1e-3 * float(expected.max()), layer
