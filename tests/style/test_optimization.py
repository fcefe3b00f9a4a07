"""Optimization: comes nearer, from every start and by every optimiser, and is the same again."""

from dataclasses import replace

import pytest
import torch

from ganvas.pretrained.examples import example
from ganvas.pretrained.vgg19 import VGG19
from ganvas.style.optimization import STARTS, StyleError, iterations, optimize, sizes
from ganvas.style.presets import PRESETS
from ganvas.style.recipe import Recipe, Stage
from ganvas.style.scene import Part, Scene, Style

SHORT = Recipe((Stage(0.5, 1.0, 1.0),), iterations=12, fewest=4, smallest=48)


@pytest.fixture(scope="module")
def network():
    return VGG19.load()


@pytest.fixture(scope="module")
def scene():
    return Scene(example("moose", 96), (Part((Style(example("night_cafe", 96)),)),))


def stylized(network, scene, recipe, seed=0):
    return list(optimize(network, scene, recipe, seed))


def test_sizes_grow_by_the_root_of_two_to_the_last_exactly():
    recipe = PRESETS["default"].recipe
    assert sizes(recipe, 512) == [128, 181, 256, 362, 512]
    assert sizes(recipe, 500) == [177, 250, 354, 500]
    assert sizes(recipe, 100) == [100]
    assert sizes(PRESETS["gatys"].recipe, 512) == [512]


def test_larger_images_are_moved_less_often():
    recipe = PRESETS["default"].recipe
    counts = [iterations(recipe, size) for size in sizes(recipe, 2048)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == recipe.iterations
    assert counts[-1] == recipe.fewest
    assert iterations(PRESETS["gatys"].recipe, 512) == 500
    few = replace(recipe, iterations=2)
    assert [iterations(few, size) for size in sizes(few, 2048)] == [2] * len(counts)


def test_painting_comes_nearer_at_every_size(network, scene):
    canvases = stylized(network, scene, SHORT)
    assert len(canvases) == sum(iterations(SHORT, size) for size in sizes(SHORT, 96))
    assert [c.iteration for c in canvases] == list(range(1, len(canvases) + 1))
    first, last = canvases[0], canvases[-1]
    assert first.content + first.style > 1.3 * (last.content + last.style)
    assert max(last.image.shape[2:]) == 96
    for canvas in canvases:
        assert float(canvas.image.min()) >= 0
        assert float(canvas.image.max()) <= 1


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_stylizes(name, network, scene):
    recipe = PRESETS[name].recipe
    small = replace(recipe, iterations=6, fewest=3, smallest=recipe.smallest and 48)
    canvases = stylized(network, scene.at(64), small)
    assert {c.stage for c in canvases} == set(range(1, len(recipe.stages) + 1))
    for stage in {c.stage for c in canvases}:
        here = [c for c in canvases if c.stage == stage]
        before, after = (c.content + c.style + c.variation for c in (here[0], here[-1]))
        assert after < before, f"stage {stage}"


@pytest.mark.parametrize("start", STARTS)
def test_every_start_leads_to_the_style(start, network, scene):
    recipe = replace(SHORT, stages=(replace(SHORT.stages[0], start=start),))
    canvases = stylized(network, scene, recipe)
    assert canvases[-1].style < 0.8


def test_the_same_seed_stylizes_the_same_and_another_does_not(network, scene):
    recipe = replace(SHORT, stages=(Stage(0.5, 1, 1, "noise"),), iterations=3, smallest=None)
    one, same, other = (stylized(network, scene, recipe, s)[-1].image for s in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_blocks_stylize_the_same_image(network, scene):
    recipe = replace(SHORT, iterations=3, smallest=None)
    whole, blocks = (
        list(optimize(network, scene.at(160), recipe, 0, side))[-1].image for side in (1024, 96)
    )
    assert float((whole - blocks).abs().mean()) < 2e-3


def test_losses_that_are_no_numbers_end_the_optimization(network, scene):
    recipe = replace(SHORT, stages=(Stage(float("inf"), 1.0, 1.0),))
    with pytest.raises(StyleError, match="no longer finite"):
        stylized(network, scene, recipe)


def test_content_alone_gives_the_photograph_back(network, scene):
    recipe = replace(SHORT, stages=(Stage(1.0, 0.0, 0.0, "gray"),), iterations=60, smallest=None)
    canvases = stylized(network, scene.at(64), recipe)
    assert canvases[-1].content < 0.1 * canvases[0].content
    assert all(c.style == 0 and c.variation == 0 for c in canvases)
