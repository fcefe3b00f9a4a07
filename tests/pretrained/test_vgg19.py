"""The network against the original written out from its description."""

import pytest
import torch
from safetensors import safe_open
from torch.nn import functional as F

from ganvas.pretrained import vgg19, weights
from ganvas.pretrained.examples import example
from ganvas.pretrained.vgg19 import LAYERS, VGG19, channels, stride


@pytest.fixture(scope="module")
def network():
    return VGG19.load()


@pytest.fixture(scope="module")
def image():
    stream = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, 9, 11, generator=stream)
    return F.interpolate(coarse, (70, 90), mode="bicubic").clamp(0, 1)


def original(image, pooling):
    """VGG-19 as its authors describe it: BGR, 0 to 255, less the mean, zero padding inside."""
    with safe_open(weights.SHIPPED, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    x = 255 * image[:, [2, 1, 0]] - torch.tensor([103.939, 116.779, 123.68])[:, None, None]
    x = F.pad(x, (1, 1, 1, 1), mode="replicate")
    found = {}
    for block, count in enumerate((2, 2, 4, 4, 1), 1):
        if block > 1:
            x = F.max_pool2d(x, 2) if pooling == "max" else F.avg_pool2d(x, 2)
        for i in range(1, count + 1):
            name = f"conv{block}_{i}"
            weight = tensors[f"{name}.palette"][tensors[f"{name}.index"].long()]
            padding = 0 if name == "conv1_1" else 1
            x = F.conv2d(x, weight, tensors[f"{name}.bias"], padding=padding).relu()
            found[f"relu{block}_{i}"] = x
    return found


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_rescaled_layers_are_the_original_ones_in_other_units(pooling, image):
    means = weights.load_shipped().means
    found = VGG19.load(pooling=pooling)(image, LAYERS)
    for layer, expected in original(image, pooling).items():
        mean = means[layer.replace("relu", "conv")]
        torch.testing.assert_close(found[layer], expected / mean, rtol=1e-3, atol=1e-3)


def test_real_images_have_unit_activations(network):
    seen = network(example("moose", 256), LAYERS)
    for layer in LAYERS:
        assert 0.3 < float(seen[layer].mean()) < 3, layer


def test_layers_are_as_large_as_they_are_said_to_be(network):
    for layer, seen in network(torch.zeros(1, 3, 48, 64), LAYERS).items():
        step = stride(layer)
        assert seen.shape == (1, channels(layer), 48 // step, 64 // step)


def test_only_what_is_asked_for_is_computed(network, image, monkeypatch):
    made = []
    convolve = F.conv2d

    def counted(*args, **kwargs):
        made.append(1)
        return convolve(*args, **kwargs)

    monkeypatch.setattr(vgg19.F, "conv2d", counted)
    assert set(network(image, ["relu2_1", "relu1_1"])) == {"relu1_1", "relu2_1"}
    assert len(made) == 3


def test_bf16_sees_nearly_the_same(network, image):
    coarse = VGG19.load(dtype=torch.bfloat16)(image, ["relu4_1"])["relu4_1"].float()
    fine = network(image, ["relu4_1"])["relu4_1"]
    assert float((coarse - fine).norm() / fine.norm()) < 0.03


def test_a_flat_image_has_no_frame(network):
    seen = network(torch.full((1, 3, 32, 32), 0.5), ["relu1_1"])["relu1_1"]
    assert float((seen - seen[:, :, 16:17, 16:17]).abs().max()) < 1e-4


def test_layers_can_stay_as_they_were(image):
    found = VGG19.load(unit_layers=False)(image, LAYERS)
    for layer, expected in original(image, "max").items():
        torch.testing.assert_close(found[layer], expected, rtol=1e-3, atol=0.1)
