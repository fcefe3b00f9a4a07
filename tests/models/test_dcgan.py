"""The paper's guidelines, and that the discriminator mirrors the generator."""

import pytest
import torch
from torch import nn

from ganvas.models import build
from ganvas.models.dcgan import DCGANSettings, sides, widths


def kinds(network, kind):
    return [layer for layer in network.modules() if isinstance(layer, kind)]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((1, 32, 32), [(32, 32), (16, 16), (8, 8), (4, 4)]),
        ((3, 64, 96), [(64, 96), (32, 48), (16, 24), (8, 12), (4, 6)]),
        ((3, 24, 40), [(24, 40), (12, 20), (6, 10)]),
    ],
)
def test_sides_halve_down_to_four(shape, expected):
    assert sides(shape) == expected


def test_widths_double_up_to_eight_times_the_finest():
    assert widths(64, (3, 64, 64)) == [64, 128, 256, 512]
    assert widths(16, (3, 256, 256)) == [16, 32, 64, 128, 128, 128]


def test_the_players_mirror_each_other():
    model = build("dcgan", DCGANSettings(width=8), (3, 32, 48))
    up = kinds(model.generator, nn.ConvTranspose2d)
    down = kinds(model.discriminator, nn.Conv2d)
    assert [(c.out_channels, c.in_channels) for c in down] == [
        (c.in_channels, c.out_channels) for c in reversed(up)
    ]


def test_the_guidelines_of_the_paper():
    model = build("dcgan", DCGANSettings(width=8), (3, 32, 32))
    assert not kinds(model, nn.AvgPool2d) + kinds(model, nn.MaxPool2d)
    assert {conv.stride for conv in kinds(model, nn.Conv2d | nn.ConvTranspose2d)} == {(2, 2)}
    assert isinstance(model.discriminator.layers[1], nn.LeakyReLU)  # no normalisation at the edge
    assert not kinds(model.generator.to_rgb, nn.BatchNorm2d)
    assert len(kinds(model.generator, nn.BatchNorm2d)) == 3
    assert len(kinds(model.discriminator, nn.BatchNorm2d)) == 2
    assert {layer.negative_slope for layer in kinds(model, nn.LeakyReLU)} == {0.2}


def test_weights_are_drawn_as_in_the_paper():
    torch.manual_seed(0)
    model = build("dcgan", DCGANSettings(width=32), (3, 64, 64))
    for layer in kinds(model, nn.Conv2d | nn.ConvTranspose2d):
        if layer.weight.numel() > 5000:
            assert float(layer.weight.detach().std()) == pytest.approx(0.02, rel=0.1)
