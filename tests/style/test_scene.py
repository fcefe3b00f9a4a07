"""Photographs and styles at every size, and what is wanted of them."""

import pytest
import torch

from ganvas.pretrained.examples import example
from ganvas.pretrained.vgg19 import VGG19
from ganvas.style.objective import distance, style_of
from ganvas.style.presets import PRESETS
from ganvas.style.recipe import Recipe, Stage
from ganvas.style.scene import Part, Scene, Style, resize, sides_of

SIDE = 1024
DEFAULT = PRESETS["default"].recipe


@pytest.fixture(scope="module")
def network():
    return VGG19.load()


@pytest.fixture(scope="module")
def scene():
    styles = (Style(example("night_cafe", 96)), Style(example("moose", 80).flip(3), 2.0))
    return Scene(example("moose", 128), (Part(styles),))


def test_sizes_keep_the_shape_and_are_never_too_small():
    assert sides_of(torch.zeros(1, 3, 683, 1024), 512) == (342, 512)
    assert sides_of(torch.zeros(1, 3, 1000, 30), 100) == (100, 16)
    assert resize(torch.rand(1, 3, 50, 40), (20, 16)).shape == (1, 3, 20, 16)


def test_resizing_does_not_change_the_mean():
    image = example("moose", 200)
    for sides in ((40, 60), (300, 450)):
        found = resize(image, sides)
        assert float(found.mean()) == pytest.approx(float(image.mean()), abs=0.01)


def test_paintings_are_made_smaller_but_never_larger(scene):
    small, large = scene.at(64), scene.at(128)
    assert [max(s.image.shape[2:]) for s in small.parts[0].styles] == [64, 64]
    assert [max(s.image.shape[2:]) for s in large.parts[0].styles] == [96, 80]
    assert max(small.content.shape[2:]) == 64
    doubled = Scene(scene.content, scene.parts, style_scale=0.5).at(64)
    assert max(doubled.parts[0].styles[0].image.shape[2:]) == 32


def test_relative_losses_are_one_where_they_should_be(network, scene):
    goal = scene.at(96).wanted(network, DEFAULT, Stage(1.0, 1.0, 0.0), SIDE)
    itself = distance(network, scene.at(96).content, goal, SIDE)
    assert itself.content == pytest.approx(0, abs=1e-6)
    assert itself.style == pytest.approx(1, rel=1e-3)
    other = resize(example("night_cafe", 200), tuple(scene.at(96).content.shape[2:]))
    assert 0.7 < distance(network, other, goal, SIDE).content < 3


def test_a_style_that_is_the_photograph_wants_nothing(network):
    image = example("moose", 96)
    scene = Scene(image, (Part((Style(image),)),))
    goal = scene.wanted(network, DEFAULT, Stage(1.0, 1.0, 0.0), SIDE)
    found = distance(network, image, goal, SIDE)
    assert found.style < 0.5
    assert torch.isfinite(found.gradient).all()


def test_means_are_those_of_the_literature(network, scene):
    here = scene.at(64)
    recipe = Recipe(
        (Stage(2.0, 3.0, 0.0),),
        1,
        units="means",
        style_loss="gram",
        style_layers={"relu1_1": 0.5},
        content_layers={"relu2_1": 1.0},
    )
    one = Scene(here.content, (Part((here.parts[0].styles[0],)),))
    goal = one.wanted(network, recipe, recipe.stages[0], SIDE)
    image = here.content.flip(3)
    found = distance(network, image, goal, SIDE)
    seen, at = network(image, ["relu1_1", "relu2_1"]), network(here.content, ["relu2_1"])
    mean = float((seen["relu2_1"] - at["relu2_1"]).square().mean())
    assert found.content == pytest.approx(2 * mean, rel=1e-3)
    flat = seen["relu1_1"].flatten(2)[0]
    target = style_of(network, one.parts[0].styles[0].image, ["relu1_1"], SIDE)["relu1_1"]
    gram = (flat @ flat.T / flat.shape[1] - target.second).square().mean()
    assert found.style == pytest.approx(3 * 0.5 * float(gram), rel=1e-3)


def test_styles_mix_by_their_weights(network, scene):
    here = scene.at(64)
    recipe = Recipe((Stage(0.0, 1.0, 0.0),), 1, units="means", style_layers={"relu1_1": 1.0})
    for weights, nearest in (((1.0, 0.0), 0), ((0.0, 1.0), 1)):
        styles = tuple(
            Style(s.image, w) for s, w in zip(here.parts[0].styles, weights, strict=True)
        )
        goal = Scene(here.content, (Part(styles),)).wanted(network, recipe, recipe.stages[0], SIDE)
        apart = [distance(network, s.image, goal, SIDE).style for s in styles]
        assert apart[nearest] < 0.1 * apart[1 - nearest]


def test_a_stage_without_a_loss_does_not_look_for_it(network, scene):
    goal = scene.at(64).wanted(network, DEFAULT, Stage(1.0, 0.0, 0.0), SIDE)
    assert goal.style_layers == set()
    goal = scene.at(64).wanted(network, DEFAULT, Stage(0.0, 1.0, 0.0), SIDE)
    assert not goal.content
