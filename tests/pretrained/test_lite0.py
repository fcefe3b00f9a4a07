import pytest
import torch
from plain_lite0 import plain_blocks

from ganvas.pretrained.lite0 import WEIGHTS, Lite0

TAPS = ["stem", "block2", "block4", "block10", "block15", "head"]


@pytest.fixture(scope="module")
def network():
    return Lite0()


def random_images(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


def plain_activations(images):
    found, x = {}, images
    for name, module, skip in plain_blocks(WEIGHTS):
        x = x + module(x) if skip else module(x)
        found[name] = x
    return found


@pytest.mark.parametrize("size", [(64, 64), (33, 47), (32, 75), (16, 40), (16, 3)])
def test_every_block_agrees_with_ordinary_modules(network, size):
    # Even and odd sides are padded differently: TensorFlow's SAME padding.
    images = random_images(2, 3, *size)
    found, expected = network(images, TAPS), plain_activations(images)
    for name in TAPS:
        torch.testing.assert_close(found[name], expected[name], rtol=1e-3, atol=1e-3)
        assert found[name].shape[1] == network.channels(name)


def test_gradients_at_images_agree_with_ordinary_modules(network):
    images = random_images(1, 3, 64, 48)
    ours, theirs = images.clone().requires_grad_(), images.clone().requires_grad_()
    network(ours, ["block10"])["block10"].square().sum().backward()
    plain_activations(theirs)["block10"].square().sum().backward()
    # By norm: rounding moves single activations across the bends of ReLU6.
    assert (ours.grad - theirs.grad).norm() < 1e-2 * theirs.grad.norm()


def test_bf16_is_close():
    images = random_images(2, 3, 64, 64)
    exact, rounded = Lite0()(images, TAPS), Lite0(dtype=torch.bfloat16)(images, TAPS)
    for name in TAPS:
        assert rounded[name].dtype == torch.bfloat16
        error = (rounded[name].float() - exact[name]).norm() / exact[name].norm()
        assert error < 0.1  # of noise, which is harder than photographs


def test_nothing_deeper_than_what_is_wanted_is_computed(network, monkeypatch):
    seen = []
    whole = network._invert
    monkeypatch.setattr(network, "_invert", lambda x, block: seen.append(block) or whole(x, block))
    assert [*network(random_images(1, 3, 32, 32), ["block2"])] == ["block2"]
    assert [block["name"] for block in seen] == ["block0", "block1", "block2"]


def test_missing_weights_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"away\.safetensors are missing"):
        Lite0(tmp_path / "away.safetensors")
