"""Styles: modulation against one convolution an image, mixing, path lengths, noise."""

from copy import deepcopy

import pytest
import torch
from torch.nn import functional as F

from ganvas.losses.regularization import path_length
from ganvas.models.stylegan import (
    Modulated,
    StyleGAN,
    StyleGANSettings,
    ToRGB,
    demodulation,
    mixed,
)
from ganvas.runtime.rng import Stream, seeded_generator

CPU = torch.device("cpu")
SHAPE = (3, 16, 24)


@pytest.fixture
def model():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return StyleGAN(StyleGANSettings(latent=8, width=4), SHAPE)


def drawn(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("layer", [Modulated(5, 7, 8), ToRGB(5, 3, 8)])
def test_modulation_is_a_convolution_of_its_own_for_every_image(layer):
    layer = deepcopy(layer).double()
    x, style = drawn(3, 5, 6, 4).double(), drawn(3, 8).double()
    for i in range(3):
        own = layer.weight * layer.scale * layer.affine(style[i])[:, None, None]
        if isinstance(layer, Modulated):
            own = own / (own.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        expected = F.conv2d(x[i : i + 1], own, padding=own.shape[2] // 2)
        torch.testing.assert_close(layer(x, style)[i : i + 1], expected, rtol=1e-5, atol=1e-6)


def test_demodulation_brings_outputs_back_to_unit_variance():
    torch.manual_seed(0)
    layer = Modulated(64, 32, 8)
    for size in (0.1, 10.0):
        found = layer(drawn(4, 64, 16, 16), size * drawn(4, 8))
        assert found[..., 1:-1, 1:-1].std().item() == pytest.approx(1, rel=0.1)
    gains = demodulation(drawn(32, 64, 3, 3), drawn(4, 64).bfloat16())
    assert gains.dtype == torch.float32


def test_mixing_swaps_exactly_the_layers_from_the_crossing_on():
    one, other = torch.zeros(3, 6, 2), torch.ones(3, 6, 2)
    found = mixed(one, other, torch.tensor([2, 6, 0]))
    assert found[0, :, 0].tolist() == [0, 0, 1, 1, 1, 1]
    assert found[1].sum() == 0
    assert found[2].min() == 1


def test_a_style_reaches_its_own_layers_alone(model):
    generator = model.generator
    style = generator.style(drawn(2, 8))
    assert generator.depth == 6
    same = generator.drawn(generator.repeated(style))
    torch.testing.assert_close(same.clamp(-1, 1), generator(drawn(2, 8))[-1])
    styles = generator.repeated(style).clone().requires_grad_()
    coarse = F.avg_pool2d(generator.drawn(styles), 4)
    (gradient,) = torch.autograd.grad(coarse.square().sum(), styles)
    assert (gradient.abs().sum(2) > 0).all(), "every layer listens to its style"


def test_most_images_of_training_are_mixed(model):
    crossings = model._crossings(2000, Stream(torch.Generator().manual_seed(0)))
    depth = model.generator.depth
    assert float((crossings < depth).float().mean()) == pytest.approx(0.9, abs=0.03)
    assert crossings.min() == 1


def test_path_lengths_are_those_of_the_jacobian(model):
    model = model.double()
    latents = drawn(1, 8).double()
    found = model.path_lengths(latents, Stream(seeded_generator(CPU, 5)))
    again = Stream(seeded_generator(CPU, 5))
    style = model.generator.repeated(model.generator.style(latents))
    images = model.generator.sums(style, again)[-1]
    noise = again.normal(*images.shape) / (16 * 24) ** 0.5
    step, squares = 1e-3, torch.zeros(model.generator.depth)
    for layer in range(model.generator.depth):
        for axis in range(8):
            moved = []
            for sign in (1, -1):
                at = style.clone()
                at[0, layer, axis] += sign * step
                same = Stream(seeded_generator(CPU, 5))
                moved.append((model.generator.sums(at, same)[-1] * noise).sum())
            squares[layer] += ((moved[0] - moved[1]).item() / (2 * step)) ** 2
    assert found.item() == pytest.approx(squares.mean().sqrt().item(), rel=1e-2)


def test_the_penalty_brings_path_lengths_together(model):
    adam = torch.optim.Adam(model.generator.parameters(), 1e-2)
    spreads = []
    for step in range(60):
        stream = Stream(seeded_generator(CPU, step))
        lengths = model.path_lengths(stream.normal(16, 8), stream)
        spreads.append(lengths.std().item())
        adam.zero_grad()
        path_length(lengths, lengths.detach().mean()).backward()
        adam.step()
    assert sum(spreads[-10:]) < 0.5 * sum(spreads[:10])


def test_noise_is_drawn_in_training_and_the_same_for_all_that_people_see(model):
    with torch.no_grad():
        for layer in model.generator.layers:
            layer.strength.fill_(1.0)
        styles = model.generator.repeated(model.generator.style(drawn(1, 8))).expand(2, -1, -1)
        shown = model.generator.drawn(styles)
        assert torch.equal(shown[0], shown[1])
        trained = model.generator.drawn(styles, Stream(torch.Generator().manual_seed(0)))
        assert not torch.allclose(trained[0], trained[1])
