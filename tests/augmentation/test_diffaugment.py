"""Augmentation against images worked out by hand, and gradients that flow through it."""

import pytest
import torch

from ganvas.augmentation.diffaugment import (
    AUGMENTATIONS,
    BRIGHTEST,
    FARTHEST,
    SATURATION,
    colour,
    shift,
)
from ganvas.runtime.rng import Stream, seeded_generator

CPU = torch.device("cpu")


def stream(seed=0):
    return Stream(seeded_generator(CPU, seed))


def applied(name, pyramid, seed=0):
    numbers = stream(seed)
    for augmentation in AUGMENTATIONS[name]:
        pyramid = augmentation(pyramid, numbers)
    return pyramid


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize("shape", [(5, 1, 16, 16), (5, 3, 16, 24), (5, 4, 24, 16)], ids=str)
def test_shape_layout_and_gradient_survive(name, shape):
    images = torch.rand(shape).to(memory_format=torch.channels_last).requires_grad_()
    (found,) = applied(name, [images])
    assert found.shape == shape
    assert found.is_contiguous(memory_format=torch.channels_last)
    found.square().sum().backward()
    assert torch.isfinite(images.grad).all()
    assert images.grad.abs().sum() > 0


@pytest.mark.parametrize("name", [n for n in AUGMENTATIONS if n != "none"])
def test_the_stream_alone_decides_and_images_differ(name):
    images = torch.rand(1, 3, 16, 16).expand(8, 3, 16, 16)
    (first,), (again,), (other,) = (applied(name, [images], seed) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not all(torch.equal(first[0], image) for image in first[1:])


def test_a_shifted_image_is_the_image_elsewhere_with_its_edge_repeated():
    height, width = 16, 32
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    image = torch.stack([rows, columns]).float()[None].expand(64, -1, -1, -1)
    (found,) = shift([image], stream())
    seen = set()
    for moved in found:
        # Each pixel says where it comes from: offsets are constant but for clamping at the edges.
        down, right = int(moved[0, 8, 0]) - 8, int(moved[1, 0, 12]) - 12
        seen.add((down, right))
        assert torch.equal(moved[0], (rows + down).clamp(0, height - 1).float())
        assert torch.equal(moved[1], (columns + right).clamp(0, width - 1).float())
    farthest = [max(abs(move[side]) for move in seen) for side in (0, 1)]
    assert farthest == [FARTHEST * height, FARTHEST * width]
    assert len(seen) > 20


def test_levels_of_one_pyramid_are_treated_alike():
    fine = torch.rand(6, 3, 8, 8).repeat_interleave(4, 2).repeat_interleave(4, 3)  # 32x32
    for name in AUGMENTATIONS:
        small, large = applied(name, [fine[:, :, ::4, ::4], fine])
        nearly = (small - large[:, :, ::4, ::4]).abs().flatten(1).median(1).values
        if "shift" not in name:
            assert nearly.max() < 1e-6, name
    ramp = torch.linspace(-1, 1, 32)[None, None, :, None].expand(6, 1, 32, 32)
    coarse = torch.nn.functional.avg_pool2d(ramp, 4)
    small, large = shift([coarse, ramp], stream())
    centres = (small[:, 0, 4, 4] - large[:, 0, 18, 16]).abs()
    assert centres.max() < 0.25  # within a coarse pixel of each other
    assert large[:, 0, 18, 16].std() > 0.05


def test_colour_changes_brightness_and_saturation_within_bounds():
    red = torch.tensor([0.6, -0.3, -0.3])[None, :, None, None].expand(256, 3, 16, 16)
    (found,) = colour([red], stream())
    brightness = found.mean((1, 2, 3))
    saturation = (found[:, 0] - found[:, 1]).mean((1, 2)) / 0.9
    assert BRIGHTEST * 0.95 < brightness.abs().max() <= BRIGHTEST
    assert 1 - SATURATION <= saturation.min() < 0.55
    assert 1.45 < saturation.max() <= 1 + SATURATION
    assert abs(brightness.mean()) < 0.05


def test_alpha_keeps_its_values():
    images = torch.rand(8, 4, 16, 16)
    (found,) = colour([images], stream())
    assert torch.equal(found[:, 3], images[:, 3])
    assert not torch.equal(found[:, :3], images[:, :3])


def test_none_changes_nothing():
    images = torch.rand(2, 3, 16, 16)
    assert applied("none", [images])[0] is images
