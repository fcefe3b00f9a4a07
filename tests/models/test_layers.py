"""Layers against direct computations in float64."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ganvas.models.layers import (
    BINOMIAL,
    BOX,
    GAIN,
    Convolution,
    Dense,
    Resample,
    bound,
    double,
    leaky,
    pixel_norm,
    spectrally_normalise,
    with_spread,
)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def test_equalised_layers_keep_the_size_of_their_input():
    torch.manual_seed(1)
    for rate in (1.0, 0.01):
        found = leaky(Dense(256, 512, rate, gain=GAIN)(drawn(64, 256)))
        assert float(found.square().mean()) == pytest.approx(1.04, rel=0.1)
    assert float(Convolution(64, 128)(drawn(4, 64, 16, 16)).std()) == pytest.approx(1, rel=0.1)


def test_equalised_layers_of_any_width_move_by_the_same_share():
    torch.manual_seed(0)
    for layer, x in ((Dense(8, 9), drawn(4, 8)), (Convolution(64, 9), drawn(4, 64, 8, 8))):
        before = layer.weight.detach().clone() * layer.scale
        adam = torch.optim.Adam(layer.parameters(), lr=0.01)
        layer(x).square().sum().backward()
        adam.step()
        moved = (layer.weight.detach() * layer.scale - before).abs().mean()
        assert float(moved / before.std()) == pytest.approx(0.01, rel=0.1)


def test_a_slow_layer_starts_alike_and_learns_less():
    torch.manual_seed(0)
    slow = Dense(32, 16, rate=0.01, bias=1.0)
    assert slow(torch.zeros(1, 32)).mean().item() == pytest.approx(1)
    torch.manual_seed(0)
    usual = Dense(32, 16, bias=1.0)
    x = drawn(8, 32)
    torch.testing.assert_close(slow(x), usual(x))
    moved = []
    for layer in (slow, usual):
        before = layer(x).detach()
        adam = torch.optim.Adam(layer.parameters(), lr=1e-3)
        layer(x).sum().backward()
        adam.step()
        moved.append(float((layer(x).detach() - before).abs().mean()))
    assert moved[0] == pytest.approx(0.01 * moved[1], rel=0.01)


def test_within_their_range_images_are_those_of_a_tanh_and_so_are_gradients():
    x = torch.linspace(-2.1, 2.1, 21, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(bound(x), 1.005 * torch.tanh(x))
    assert torch.autograd.gradcheck(bound, x)


def test_whatever_left_the_range_comes_back_and_nothing_is_led_out():
    x = torch.tensor([-30.0, -30.0, -2.9, 2.9, 30.0, 30.0], requires_grad=True)
    gradient = torch.tensor([1.0, -1.0, 1.0, 1.0, 1.0, -1.0])
    found = bound(x)
    ends = 1.005 * torch.tensor(2.9).tanh()
    torch.testing.assert_close(found, torch.tensor([-1.0, -1.0, -ends, ends, 1.0, 1.0]))
    (found * gradient).sum().backward()
    torch.testing.assert_close(x.grad, torch.tensor([0.0, -0.05, 0.05, 0.05, 0.05, 0.0]))


def test_pixels_are_normalised_by_their_length():
    x = drawn(3, 5, 4, 4)
    by_hand = x.double() / (x.double().square().mean(1, keepdim=True) + 1e-8).sqrt()
    torch.testing.assert_close(pixel_norm(x).double(), by_hand, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("count", "group"), [(8, 4), (6, 3), (7, 1)])
def test_the_spread_is_the_standard_deviation_within_groups(count, group):
    x = drawn(count, 5, 2, 3)
    found = with_spread(x)
    assert torch.equal(found[:, :5], x)
    for first in range(count // group):
        members = x[first :: count // group].double().numpy()
        expected = np.sqrt(members.var(0) + 1e-8).mean()
        np.testing.assert_allclose(found[first :: count // group, 5], expected, rtol=1e-5)


def test_images_all_alike_have_no_spread():
    assert float(with_spread(drawn(1, 3, 4, 4).expand(8, 3, 4, 4))[:, 3].max()) < 1e-3


def by_hand(line):
    """One line, its edges repeated, filtered and doubled in float64."""
    wide = np.pad(line, 1, mode="edge")
    rows = [(0.75 * wide[i] + 0.25 * wide[i - 1], 0.75 * wide[i] + 0.25 * wide[i + 1])
            for i in range(1, len(line) + 1)]  # fmt: skip
    return np.array(rows).ravel()


def test_doubling_is_a_binomial_filter():
    x = drawn(2, 3, 6, 8)
    rows = np.apply_along_axis(by_hand, 3, x.double().numpy())
    expected = np.apply_along_axis(by_hand, 2, rows)
    np.testing.assert_allclose(double(x), expected, rtol=1e-5, atol=1e-6)


def test_doubling_keeps_what_is_flat():
    flat = torch.full((1, 2, 4, 4), 0.7)
    torch.testing.assert_close(double(flat).unique(), torch.tensor([0.7]), rtol=1e-5, atol=0)


def filtered(x, taps):
    """x (N, C, H, W) filtered in both directions, longer by the filter, in float64."""
    square = torch.outer(torch.tensor(taps), torch.tensor(taps)).double() / sum(taps) ** 2
    count, size = x.shape[1], len(taps)
    return F.conv2d(F.pad(x, [size - 1] * 4), square.expand(count, 1, size, size), groups=count)


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("taps", [BOX, BINOMIAL], ids=["box", "binomial"])
@torch.no_grad()
def test_a_halving_convolution_is_a_convolution_a_filter_and_every_second_pixel(kernel, taps):
    torch.manual_seed(0)
    layer = Convolution(5, 7, kernel, Resample.HALVE, taps).double()
    layer.bias.copy_(drawn(7))
    x = drawn(2, 5, 8, 12).double()
    weight, margin = layer.weight * layer.scale, kernel - 1
    whole = filtered(F.conv2d(F.pad(x, [margin] * 4), weight, layer.bias), taps)
    # The same place in every second pixel, counted from where the output begins.
    first = (whole.shape[2] - 8) // 2
    expected = whole[:, :, first:, first:][:, :, :8:2, :12:2]
    inside = slice(2, -2)
    found = layer(x)
    assert found.shape == (2, 7, 4, 6)
    torch.testing.assert_close(found[..., inside, inside], expected[..., inside, inside])


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("taps", [BOX, BINOMIAL], ids=["box", "binomial"])
@torch.no_grad()
def test_a_doubling_convolution_is_zeros_between_pixels_a_filter_and_a_convolution(kernel, taps):
    torch.manual_seed(0)
    layer = Convolution(5, 7, kernel, Resample.DOUBLE, taps).double()
    x = drawn(2, 5, 6, 8).double()
    spaced = torch.zeros(2, 5, 12, 16).double()
    spaced[:, :, ::2, ::2] = 4 * x
    whole = F.conv2d(F.pad(filtered(spaced, taps), [kernel - 1] * 4), layer.weight * layer.scale)
    first = (whole.shape[2] - 12) // 2
    expected = whole[:, :, first:, first:][:, :, :12, :16]
    found = layer(x)
    assert found.shape == (2, 7, 12, 16)
    torch.testing.assert_close(found[..., 2:-2, 2:-2], expected[..., 2:-2, 2:-2])


def test_with_a_box_every_pixel_is_repeated_and_means_are_of_four():
    torch.manual_seed(0)
    layer = Convolution(4, 3, 1, Resample.DOUBLE).double()
    x = drawn(2, 4, 6, 6).double()
    usual = F.conv2d(x, layer.weight * layer.scale)
    torch.testing.assert_close(layer(x), usual.repeat_interleave(2, 2).repeat_interleave(2, 3))
    layer.resample = Resample.HALVE
    torch.testing.assert_close(layer(x), F.avg_pool2d(usual, 2))


@torch.no_grad()
def test_a_halving_convolution_removes_what_would_alias():
    layer = Convolution(1, 1, 1, Resample.HALVE, BINOMIAL)
    layer.weight.fill_(1.0)
    board = torch.tensor([1.0, -1.0]).repeat(8)
    board = (board[:, None] * board[None, :]).expand(1, 1, 16, 16)
    assert layer(board)[..., 1:-1, 1:-1].abs().max() < 1e-6
    assert F.interpolate(board, scale_factor=0.5).abs().max() == 1


def test_spectrally_normalised_weights_have_a_largest_gain_of_one():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(8 * 36, 5))
    spectrally_normalise(network)
    for _ in range(50):
        network(drawn(2, 3, 8, 8))
    for layer in (network[0], network[2]):
        gains = torch.linalg.svdvals(layer.weight.detach().flatten(1))
        assert float(gains[0]) == pytest.approx(1, rel=0.02)
    assert network[2].weight.norm().item() > 1
