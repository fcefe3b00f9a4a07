"""Masks agree with activations at every size: each pixel counts once, and all layers see it."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

import ganvas
from ganvas.errors import GanvasError
from ganvas.pretrained.examples import example
from ganvas.pretrained.vgg19 import VGG19, stride
from ganvas.style.images import ImageError
from ganvas.style.masks import Mask
from ganvas.style.objective import distance, style_of
from ganvas.style.presets import PRESETS
from ganvas.style.regions import opened_pairs, parts_of
from ganvas.style.scene import Scene, Style

LAYERS = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
SIDES = [(16, 16), (110, 110), (93, 67), (31, 47), (17, 130), (112, 64)]


def random(sides):
    return torch.rand(sides, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("step", [2, 4, 8, 16])
def test_every_pixel_belongs_to_one_activation(step, sides):
    weights = random(sides).double()
    found = Mask(weights).levels[step]
    rows, columns = (side // step for side in sides)
    assert found.shape == (rows, columns)
    for row in range(rows):
        for column in range(columns):
            bottom = None if row == rows - 1 else (row + 1) * step
            right = None if column == columns - 1 else (column + 1) * step
            cell = weights[row * step : bottom, column * step : right]
            assert float(found[row, column]) == pytest.approx(float(cell.mean()), abs=1e-9)


@pytest.mark.parametrize("sides", [(16, 16), (112, 64), (512, 320)])
def test_sides_without_a_remainder_are_averaged_as_ever(sides):
    weights = random(sides)
    for step in (2, 4, 8, 16):
        assert torch.equal(
            Mask(weights).levels[step], F.avg_pool2d(weights[None, None], step)[0, 0]
        )


@pytest.mark.parametrize("sides", SIDES)
def test_parts_of_an_image_add_up_to_it_at_every_activation(sides):
    weights = random(sides)
    one, other = Mask(weights), Mask(1 - weights)
    for step, level in one.levels.items():
        assert torch.allclose(level + other.levels[step], torch.ones_like(level))


@pytest.mark.parametrize("sides", SIDES)
def test_no_pixel_is_too_near_an_edge_to_be_seen(sides):
    for row in (0, sides[0] // 2, sides[0] - 1):
        for column in (0, sides[1] // 2, sides[1] - 1):
            weights = torch.zeros(sides)
            weights[row, column] = 1
            assert all(Mask(weights).total(layer) > 0 for layer in LAYERS)


@pytest.fixture(scope="module")
def network():
    return VGG19.load()


def test_a_white_mask_counts_as_none(network):
    image = example("moose", 110)
    assert any(side % stride("relu5_1") for side in image.shape[2:])
    plain = style_of(network, image, LAYERS, None)
    masked = style_of(network, image, LAYERS, None, Mask(torch.ones(image.shape[2:])))
    for layer in LAYERS:
        assert torch.allclose(plain[layer].mean, masked[layer].mean, rtol=1e-4, atol=1e-5)
        assert torch.allclose(plain[layer].second, masked[layer].second, rtol=1e-3, atol=1e-4)


def strip(path, edge, size=70, width=13):
    pixels = np.zeros((size, size), np.uint8)
    where = {
        "top": np.s_[:width],
        "bottom": np.s_[-width:],
        "left": np.s_[:, :width],
        "right": np.s_[:, -width:],
        "corner": np.s_[-width:, -width:],
    }[edge]
    pixels[where] = 255
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize("inside", ["top", "right", "corner"])
@pytest.mark.parametrize("like", ["bottom", "right", "corner", None])
def test_a_mask_at_any_edge_is_seen_by_every_layer(inside, like, network, tmp_path):
    blocks = torch.rand(1, 3, 7, 7, generator=torch.Generator().manual_seed(1))
    image = blocks.repeat_interleave(10, 2).repeat_interleave(10, 3)
    pair = (strip(tmp_path / "in.png", inside), like and strip(tmp_path / "like.png", like))
    parts = parts_of(image, None, [Style(image.flip(2))], opened_pairs([pair], 1))
    recipe = PRESETS["default"].recipe
    goal = Scene(image, parts).wanted(network, recipe, recipe.stages[0])
    assert [set(region.style) for region in goal.regions] == [set(recipe.style_layers)] * 2
    found = distance(network, image, goal)
    assert 0 < found.style < 1.01, "1 for the photograph itself, unless it is like the style"
    assert torch.isfinite(found.gradient).all()


def transparent(path, columns):
    """An image of 64x64 of which the first columns alone can be seen."""
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 4), dtype=np.uint8)
    pixels[..., 3] = 0
    pixels[:, :columns, 3] = 255
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize(
    ("content", "style", "of"), [(20, 64, "the photograph"), (64, 20, "style 1")]
)
def test_a_mask_of_what_cannot_be_seen_is_said_to_be_so(content, style, of, tmp_path):
    images = [transparent(tmp_path / f"{n}.png", n) for n in (content, style)]
    right = strip(tmp_path / "right.png", "right", 64, 30)
    with pytest.raises(ImageError, match=rf"right\.png selects nothing of {of}"):
        [*ganvas.stylize(*images, masks=[(right, right)], size=64)]


@pytest.mark.parametrize(
    "masks",
    ["m.png", ["m.png"], [("m.png",)], [("a", "b", "c")], [(1, 2)], [(None, "a")], None, 5],
)
def test_masks_that_are_no_pairs_of_files_are_named(masks):
    with pytest.raises(GanvasError, match=r"^masks="):
        ganvas.stylize("a.png", "b.png", masks=masks)


def test_masks_may_be_named_by_text(tmp_path):
    like = str(strip(tmp_path / "bottom.png", "bottom"))
    pair = (str(strip(tmp_path / "top.png", "top")), like)
    image = torch.rand(3, 110, 110, generator=torch.Generator().manual_seed(1))
    options = {"size": 110, "iterations": 1, "preset": "draft"}
    *_, last = ganvas.stylize(image, image, masks=[pair], **options)
    assert torch.isfinite(last.image).all()
