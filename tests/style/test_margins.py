"""Rims of scans are found, and images without one stay whole."""

import pytest
import torch
from torch.nn import functional as F

from ganvas.pretrained.examples import EXAMPLES, example
from ganvas.style.images import StyleImage
from ganvas.style.margins import trim


def scan(colours, alpha=None):
    return StyleImage(colours, alpha, "image")


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("size", [48, 320])
def test_images_without_a_rim_stay_whole(name, size):
    image = scan(example(name, size))
    assert trim(image).colours.shape == image.colours.shape


@pytest.mark.parametrize("brightness", [0.0, 1.0])
@pytest.mark.parametrize("width", [2, 7, 25])
def test_even_rims_are_found(width, brightness):
    image = 0.2 + 0.6 * example("night_cafe", 320)
    framed = F.pad(image, (0, width, width, 0), value=brightness)
    found = trim(scan(framed)).colours
    assert abs(found.shape[2] - image.shape[2]) <= 3
    assert abs(found.shape[3] - image.shape[3]) <= 3
    assert float((found[:, :, -1] - brightness).abs().mean()) > 0.1


def test_a_blurred_rim_is_found_whole():
    image = F.pad(0.2 + 0.5 * example("moose", 320), (0, 0, 0, 6), value=1.0)
    soft = F.avg_pool2d(F.pad(image, (1, 1, 1, 1), mode="replicate"), 3, 1)
    found = trim(scan(soft)).colours
    assert float(found[:, :, -1].mean()) < 0.7


def test_a_drawing_on_white_paper_keeps_its_paper():
    paper = torch.ones(1, 3, 200, 200)
    paper[:, :, 80:120, 60:140] = torch.rand(1, 3, 40, 80)
    assert trim(scan(paper)).colours.shape == paper.shape
    assert trim(scan(torch.ones(1, 3, 64, 64))).colours.shape == (1, 3, 64, 64)


def test_transparency_is_trimmed_with_its_image():
    framed = F.pad(0.2 + 0.6 * example("night_cafe", 320), (10, 0, 0, 0), value=1.0)
    found = trim(scan(framed, torch.rand(framed.shape[2:])))
    assert found.alpha.shape == found.colours.shape[2:]
    assert found.alpha.shape[1] < framed.shape[3]


def test_images_too_small_to_be_cut_stay_whole():
    for sides in ((16, 16), (16, 90), (20, 24)):
        framed = F.pad(torch.rand(1, 3, sides[0] - 6, sides[1] - 6), (3, 3, 3, 3), value=1.0)
        found = trim(scan(framed)).colours
        assert min(found.shape[2:]) >= 16
    for value in (0.0, 0.5, 1.0):
        flat = torch.full((1, 3, 16, 40), value)
        assert trim(scan(flat)).colours.shape == flat.shape


def test_a_rim_that_is_all_that_can_be_seen_stays():
    framed = F.pad(0.2 + 0.6 * example("night_cafe", 320), (12, 12, 12, 12), value=1.0)
    alpha = torch.ones(framed.shape[2:])
    alpha[12:-12, 12:-12] = 0
    assert trim(scan(framed, alpha)).colours.shape == framed.shape
