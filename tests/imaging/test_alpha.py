"""Transparent images: there and back, clean alpha, and what networks are shown."""

import pytest
import torch

from ganvas.augmentation.diffaugment import colour
from ganvas.data.loader import Loader
from ganvas.imaging.alpha import NEAR, premultiplied, straight
from ganvas.imaging.tensors import to_bytes
from ganvas.runtime.rng import Stream, seeded_generator

CPU = torch.device("cpu")


def drawn(*shape):
    return 2 * torch.rand(shape, generator=torch.Generator().manual_seed(0)) - 1


def test_colours_are_multiplied_by_alpha_from_nought_to_one():
    red_half = torch.tensor([1.0, -1.0, 0.0, 0.0])[None, :, None, None]
    assert premultiplied(red_half).flatten().tolist() == pytest.approx([0.0, -1.0, -0.5, 0.0])


@pytest.mark.parametrize("channels", [1, 3])
def test_images_without_alpha_stay_as_they_are(channels):
    images = drawn(2, channels, 4, 4)
    assert premultiplied(images) is images
    assert straight(images) is images


def test_there_and_back_is_where_it_was():
    images = drawn(2, 4, 8, 8)
    images[:, 3] = 0.8 * images[:, 3]  # away from both ends
    back = straight(premultiplied(images))
    torch.testing.assert_close(back[:, :3], images[:, :3], rtol=1e-4, atol=1e-4)
    assert (back[:, 3] - images[:, 3]).abs().max() < 2 * 2 * NEAR


def test_alpha_is_clean_at_its_ends():
    alpha = torch.tensor([-1.0, -1 + 1.9 * NEAR, 0.0, 1 - 1.9 * NEAR, 1.0])
    images = torch.cat([drawn(1, 3, 1, 5), alpha.view(1, 1, 1, 5)], 1)
    found = straight(images)[0, :, 0]
    assert found[3].tolist() == pytest.approx([-1, -1, 0, 1, 1])
    assert (found[:3, :2] == -1).all(), "what cannot be seen has no colour"
    assert found.abs().max() <= 1


def test_what_is_written_as_transparent_has_no_colour():
    images = drawn(8, 4, 16, 16)
    images[:, 3] = 0.2 * images[:, 3] - 0.9
    written = to_bytes(straight(images))
    hidden = written[written[..., 3] == 0]
    assert 100 < len(hidden) < written[..., 3].size
    assert hidden.max() == 0


def test_networks_are_shown_what_is_multiplied(small, begin, blobs):
    images = blobs((4, 16, 16))
    images.pixels[..., 3] = 0
    _, state = begin("dcgan", small("dcgan", (4, 16, 16)))
    (batch,) = state.next_batch(Loader(images, 4, CPU))
    assert (batch.images == -1).all()


def test_nothing_gets_brighter_where_nothing_is():
    images = premultiplied(drawn(4, 4, 8, 8))
    images[:, :, :4] = -1
    (changed,) = colour([images], Stream(seeded_generator(torch.device("cpu"), 0)))
    assert (changed[:, :, :4] == -1).all()
    assert (changed[:, :, 4:] != images[:, :, 4:]).any()
