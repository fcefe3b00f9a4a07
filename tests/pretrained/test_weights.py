"""Weights of VGG-19: the shipped ones, a user's own, and files that are neither."""

import pytest
import torch
from safetensors.torch import save_file

from ganvas.pretrained import weights
from ganvas.pretrained.examples import example
from ganvas.pretrained.vgg19 import LAYERS, VGG19
from ganvas.pretrained.weights import CONVOLUTIONS, PLACES, WeightsError


@pytest.fixture(scope="module")
def caffe():
    """The shipped weights in full precision, for BGR from 0 to 255 less the mean."""
    layers = dict(weights.load_shipped().layers)
    weight, bias = layers["conv1_1"]
    shift = (weight.flip(1) * torch.tensor(weights.CAFFE_MEANS)[:, None, None]).sum((1, 2, 3))
    layers["conv1_1"] = (weight.flip(1) / 255, bias + shift / 255)
    return {
        f"{name}.{part}": tensor.contiguous()
        for name, pair in layers.items()
        for part, tensor in zip(("weight", "bias"), pair, strict=True)
    }


@pytest.fixture(scope="module")
def torchvision():
    """The same network as torchvision would keep it, with a classifier behind."""
    spread = torch.tensor(weights.TORCHVISION_SPREADS)[:, None, None]
    mean = torch.tensor(weights.TORCHVISION_MEANS)[:, None, None]
    found = {"classifier.0.weight": torch.zeros(3, 3)}
    for name, place in zip(CONVOLUTIONS, PLACES, strict=True):
        weight, bias = weights.load_shipped().layers[name]
        if name == "conv1_1":
            bias = bias + (weight * mean).sum((1, 2, 3))
            weight = weight * spread
        found |= {f"features.{place}.weight": weight.clone(), f"features.{place}.bias": bias}
    return found


@pytest.mark.parametrize("kind", ["caffe", "torchvision"])
@pytest.mark.parametrize("ending", [".safetensors", ".pth"])
def test_the_same_network_from_another_file_sees_the_same(kind, ending, request, tmp_path):
    tensors, path = request.getfixturevalue(kind), tmp_path / f"vgg{ending}"
    save_file(tensors, path) if ending == ".safetensors" else torch.save(tensors, path)
    image = example("moose", 96)
    own = VGG19.load(path=path, unit_layers=False)(image, LAYERS)
    for layer, expected in VGG19.load(unit_layers=False)(image, LAYERS).items():
        torch.testing.assert_close(own[layer], expected, rtol=1e-3, atol=0.05)


def test_layers_of_another_file_are_rescaled_to_unit_activations(caffe, tmp_path):
    save_file(caffe, tmp_path / "vgg.safetensors")
    network = VGG19.load(path=tmp_path / "vgg.safetensors")
    seen = [network(example(name, 384), LAYERS) for name in ("moose", "night_cafe")]
    for layer in LAYERS:
        mean = sum(float(s[layer].mean()) for s in seen) / 2
        assert mean == pytest.approx(1, rel=1e-3), layer


def test_the_palette_file_itself_can_be_given():
    own = VGG19.load(path=weights.SHIPPED, unit_layers=False)
    mine = VGG19.load(unit_layers=False)
    for one, other in zip(own.convolutions, mine.convolutions, strict=True):
        assert torch.equal(one.weight, other.weight)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[: len(data) // 2], "damaged"),
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "damaged"),
        (lambda data: b"", "damaged"),
    ],
)
def test_damaged_shipped_weights_are_a_clear_error(damage, message, tmp_path, monkeypatch):
    file = tmp_path / "vgg19.safetensors"
    file.write_bytes(damage(weights.SHIPPED.read_bytes()))
    monkeypatch.setattr(weights, "SHIPPED", file)
    with pytest.raises(WeightsError, match=message):
        VGG19.load()
    file.unlink()
    with pytest.raises(WeightsError, match="reinstall ganvas"):
        VGG19.load()


class Runs:
    """Runs code when it is unpickled, if anyone lets it."""

    def __reduce__(self):
        return (pytest.fail, ("code from a file was run",))


@pytest.mark.parametrize("ending", [".safetensors", ".pth"])
@pytest.mark.parametrize("content", [b"", b"no weights at all", b"PK\3\4" + bytes(100)])
def test_files_that_hold_no_weights_are_refused(content, ending, tmp_path):
    path = tmp_path / f"vgg{ending}"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="damaged, or holds no weights"):
        weights.read(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none.pth", tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(WeightsError, match="cannot be read"):
            weights.read(path)


def test_other_things_than_weights_are_refused(caffe, tmp_path):
    path = tmp_path / "vgg.pth"
    for content, message in (
        (Runs(), "damaged, or holds no weights"),
        ([1, 2], "no table of weights"),
        ({"a": 1}, "no table of weights"),
        ({1: torch.zeros(1)}, "no table of weights"),
        ({"conv1_1.palette": torch.zeros(4)}, "a palette does not fit"),
        ({"a.palette": torch.zeros(4), "a.index": torch.tensor([9])}, "a palette does not fit"),
        ({"a": torch.zeros(1)}, "another network"),
        ({**caffe, "conv3_1.weight": torch.zeros(256, 64, 3, 3)}, r"conv3_1\.weight"),
        ({**caffe, "conv2_1.bias": torch.full((128,), float("nan"))}, "not finite"),
    ):
        torch.save(content, path)
        with pytest.raises(WeightsError, match=message):
            weights.read(path)
