"""Generated images that match real ones, with what a frozen network sees of photographs."""

import pytest
import torch

from ganvas.models.layers import smaller
from ganvas.models.projected import STRIDES, ProjectedDiscriminator


def varied(count, seed=0):
    """Images of a few colours in a few coarse fields."""
    random = torch.Generator().manual_seed(seed)
    fields = torch.rand(count, 3, 4, 4, generator=random) * 2 - 1
    return torch.nn.functional.interpolate(fields, (32, 32), mode="bicubic").clamp(-1, 1)


@pytest.fixture(scope="module")
def projected():
    torch.manual_seed(0)
    network = ProjectedDiscriminator((32, 32), latent=20)
    network.standardise(varied(128))
    network.measure(varied(256).split(100))
    return network


def test_the_distance_is_0_for_the_same_and_about_8_for_others(projected):
    real, other = (projected.look(varied(200, seed)).activations for seed in (1, 2))
    assert float(projected.matching.distance(real, real)) == 0
    usual = float(projected.matching.distance(real, other))
    assert usual == pytest.approx(2 * len(STRIDES), rel=0.15)


def test_the_distance_falls_when_images_come_nearer(projected):
    one, other = varied(50, 1), varied(50, 2)
    real = projected.look(one).activations
    distances = [
        float(projected.matching.distance(real, projected.look(one.lerp(other, t)).activations))
        for t in (0.1, 0.3, 0.6, 1.0)
    ]
    assert distances == sorted(distances)


def test_generated_images_get_gradients_and_nothing_measured_does(projected):
    images = varied(4, 3).requires_grad_()
    real = projected.look(varied(4, 4)).activations
    projected.matching.distance(real, projected.look(images).activations).backward()
    assert float(images.grad.abs().sum()) > 0
    assert not any(p.requires_grad for p in projected.matching.parameters())


def test_halved_images_have_codes_and_sizes_of_their_own():
    torch.manual_seed(0)
    network = ProjectedDiscriminator((32, 32), latent=8, halvings=1)
    network.standardise(varied(128))
    codes = network.measure(varied(256).split(100))
    small = network.look(smaller(varied(256)))
    found = small.matching.encode(small.activations)
    assert small.matching is not network.matching
    for number in range(4):
        assert float(torch.corrcoef(torch.stack([codes, found])[:, :, number])[0, 1]) > 0.7
    other = network.look(smaller(varied(256, 2))).activations
    usual = float(small.matching.distance(small.activations, other))
    assert usual == pytest.approx(2 * len(STRIDES), rel=0.15)


def test_codes_take_half_of_the_latents_at_most(projected):
    assert projected.matching.codes.count == 10
    assert ProjectedDiscriminator((32, 32), latent=1).matching.codes.count == 1
    assert ProjectedDiscriminator((32, 32), latent=512).matching.codes.count == 64
    assert ProjectedDiscriminator((32, 32)).matching is None
