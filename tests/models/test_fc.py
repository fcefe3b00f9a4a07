"""The lesson's network, number by number."""

import pytest
import torch
from torch import nn

from ganvas.models import build
from ganvas.models.fc import FCSettings


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(("variant", "discriminator"), [("pytorch", 533_505), ("keras", 923_553)])
def test_parameters_are_those_of_the_lesson(variant, discriminator):
    model = build("fc", FCSettings(variant=variant), (1, 28, 28))
    assert parameters(model.generator) == 1_489_936
    assert parameters(model.discriminator) == discriminator


@pytest.mark.parametrize(
    ("variant", "order"),
    [
        ("pytorch", (nn.Linear, nn.BatchNorm1d, nn.LeakyReLU)),
        ("keras", (nn.Linear, nn.LeakyReLU, nn.BatchNorm1d)),
    ],
)
def test_layers_stand_in_the_lesson_s_order(variant, order):
    layers = build("fc", FCSettings(variant=variant), (1, 28, 28)).generator.layers
    assert all(isinstance(*pair) for pair in zip(layers[:3], order, strict=True))
    assert [layer.out_features for layer in layers if isinstance(layer, nn.Linear)] == [
        256,
        512,
        1024,
        784,
    ]
    norms = [layer for layer in layers if isinstance(layer, nn.BatchNorm1d)]
    assert [norm.momentum for norm in norms] == [0.2, 0.2, 0.2]


@pytest.mark.parametrize("variant", ["pytorch", "keras"])
def test_without_a_norm_an_image_does_not_depend_on_its_batch(variant):
    settings = FCSettings(latent=4, width=8, variant=variant, norm="none")
    generator = build("fc", settings, (1, 8, 8)).generator.train()
    assert not [layer for layer in generator.modules() if isinstance(layer, nn.BatchNorm1d)]
    latents = torch.randn(6, 4)
    torch.testing.assert_close(generator(latents)[-1][:2], generator(latents[:2])[-1])
