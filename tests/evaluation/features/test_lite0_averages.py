import io
import zipfile

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from plain_lite0 import plain_blocks

from ganvas.evaluation.features import EfficientNetLite0
from ganvas.evaluation.features.lite0 import INPUT
from ganvas.evaluation.features.network import on_white, prepare
from ganvas.evaluation.metrics import kernel_distance
from ganvas.pretrained.lite0 import WEIGHTS

EMOJI = WEIGHTS.parent / "emoji.zip"


@pytest.fixture(scope="module")
def network():
    return EfficientNetLite0()


def random_images(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


@torch.no_grad()
def plain_features(images):
    x = prepare(images, INPUT)
    for _, module, skip in plain_blocks(WEIGHTS):
        x = x + module(x) if skip else module(x)
    return x.flatten(2).mean(2)


def test_agrees_with_ordinary_modules(network):
    images = random_images(1, 3, 64, 64)
    torch.testing.assert_close(
        network.features(images), plain_features(images), rtol=1e-3, atol=1e-4
    )


def test_batches_change_nothing(network, monkeypatch):
    images = random_images(3, 3, 32, 32)
    whole = network.features(images)
    monkeypatch.setattr("ganvas.evaluation.features.lite0.BATCH", 2)
    torch.testing.assert_close(network.features(images), whole, rtol=1e-4, atol=1e-5)


def test_features_are_float32_without_a_gradient(network):
    features = network.features(random_images(1, 3, 64, 64).requires_grad_())
    assert features.shape == (1, 1280)
    assert features.dtype == torch.float32
    assert not features.requires_grad


def test_grey_is_repeated_and_transparency_laid_on_white():
    grey = random_images(1, 1, 4, 4)
    torch.testing.assert_close(on_white(grey), torch.cat([grey] * 3, 1))
    colour = random_images(1, 3, 4, 4)
    for alpha, expected in [(-1.0, torch.ones(1, 3, 4, 4)), (1.0, colour), (0.0, (colour + 1) / 2)]:
        rgba = torch.cat([colour, torch.full((1, 1, 4, 4), alpha)], 1)
        torch.testing.assert_close(on_white(rgba), expected)


def test_prepared_images_stay_in_range():
    checks = torch.tensor([[-1.0, 1.0], [1.0, -1.0]]).repeat(1, 1, 8, 8)
    assert prepare(checks, INPUT).shape == (1, 3, 128, 128)
    assert prepare(checks, INPUT).abs().max() <= 1


@pytest.mark.parametrize("shape", [(1, 2, 8, 8), (3, 8, 8)])
def test_other_shapes_are_refused(network, shape):
    with pytest.raises(ValueError, match="give a batch of grey, RGB or RGBA images"):
        network.features(torch.zeros(shape))


def test_missing_weights_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"away\.safetensors are missing"):
        EfficientNetLite0(tmp_path / "away.safetensors")


def emoji(count):
    with zipfile.ZipFile(EMOJI) as archive:
        names = archive.namelist()
        files = [archive.read(name) for name in names[:: len(names) // count][:count]]
    return torch.stack([decoded(file) for file in files])


def decoded(file):
    image = Image.open(io.BytesIO(file)).convert("RGBA").resize((64, 64))
    return torch.from_numpy(np.array(image)).permute(2, 0, 1) / 127.5 - 1


def test_the_kernel_distance_orders_other_reals_blurred_reals_and_noise(network):
    images = on_white(emoji(100))[torch.randperm(100, generator=torch.Generator().manual_seed(0))]
    reals, others = images.chunk(2)
    blurred = F.interpolate(F.avg_pool2d(others, 2), scale_factor=2, mode="bilinear")
    noisy = (
        others + 0.2 * torch.randn(others.shape, generator=torch.Generator().manual_seed(1))
    ).clamp(-1, 1)
    reference = network.features(reals)
    distances = [
        kernel_distance(reference, network.features(sample)).value
        for sample in (others, blurred, noisy)
    ]
    assert distances == sorted(distances)
    assert distances[1] > 3 * abs(distances[0])
