"""Every network that scores can look through, and a user's own."""

import pytest
import torch
from torch import nn

from ganvas.data import DataSettings, prepare
from ganvas.evaluation.features import (
    FEATURES,
    DigitsClassifier,
    FeaturesError,
    Inception,
    feature_network,
)
from ganvas.registry import UnknownNameError

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
SHIPPED = [name for name in FEATURES if name != "inception"]  # which does not come with ganvas


def images(count, channels=3, side=32, seed=0):
    random = torch.Generator().manual_seed(seed)
    return torch.rand(count, channels, side, side, generator=random) * 2 - 1


@pytest.fixture(scope="module", params=SHIPPED)
def network(request):
    return feature_network(request.param)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("side", [28, 64])
def test_a_row_for_each_image_of_any_kind(network, channels, side):
    shown = images(3, channels, side)
    found = network.features(shown)
    assert found.shape[0] == 3
    assert found.ndim == 2
    assert found.dtype == torch.float32
    assert torch.isfinite(found).all()
    torch.testing.assert_close(network.features(shown[1:2]), found[1:2], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", SHIPPED)
def test_features_are_those_of_the_processor_and_lie_beside_the_images(name, device):
    shown = images(3)
    found = feature_network(name, device).features(shown.to(device))
    assert found.device.type == device
    expected = feature_network(name).features(shown)
    torch.testing.assert_close(found.cpu(), expected, rtol=0.05, atol=0.05)  # bf16 on one of them
    assert feature_network(name, device).name == feature_network(name).name


def test_the_name_says_network_and_resizing(network):
    assert " px antialiased bicubic" in network.name
    assert len({feature_network(name).name for name in SHIPPED}) == len(SHIPPED)


def test_digits_are_read(returned):
    shown = returned(prepare("digits", DataSettings(size="32")))
    told = [tuple(map(int, name.split("/"))) for name in shown.names]  # the digit, its number
    numbers = [place for place, (_, number) in enumerate(told) if number >= 9000]  # kept out
    real = torch.from_numpy(shown.batch(numbers)).permute(0, 3, 1, 2) / 127.5 - 1
    read = DigitsClassifier.load().read(real)
    digits = torch.tensor([told[place][0] for place in numbers])
    assert len(digits) == 1000
    assert (read == digits).double().mean() > 0.97


class Means(nn.Module):
    """A user's network: mean colours, or a map of them."""

    def __init__(self, as_map: bool) -> None:
        super().__init__()
        self.as_map = as_map

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.avg_pool2d(x, 4) if self.as_map else x.mean((2, 3))


@pytest.mark.parametrize("as_map", [False, True])
def test_a_users_torchscript_looks_at_images_in_0_to_1(as_map, tmp_path, scripted):
    network = feature_network(scripted(tmp_path / "means.pt", Means(as_map)))
    shown = images(5)
    torch.testing.assert_close(network.features(shown), (shown.mean((2, 3)) + 1) / 2)
    assert network.name.startswith("means.pt ")
    assert network.name.endswith("at their own size")


@pytest.fixture
def graph(tmp_path):
    """An ONNX file that takes images of some sides and gives their mean colours, or the map."""

    def written(name, *sides, as_map=False):
        from onnx import TensorProto, checker, helper, save

        value = helper.make_tensor_value_info
        node = "Identity" if as_map else "GlobalAveragePool"
        made = helper.make_graph(
            [helper.make_node(node, ["images"], ["features"])],
            "means",
            [value("images", TensorProto.FLOAT, ["n", 3, *sides])],
            [value("features", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        )
        model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 10
        checker.check_model(model)
        save(model, tmp_path / name)
        return str(tmp_path / name)

    return written


@pytest.mark.parametrize("as_map", [False, True])
def test_a_users_onnx_graph_looks_at_images_in_0_to_1(as_map, graph):
    network = feature_network(graph("means.onnx", "h", "w", as_map=as_map))
    shown = images(5)
    torch.testing.assert_close(network.features(shown), (shown.mean((2, 3)) + 1) / 2)
    assert network.name.endswith("at their own size")


def test_a_graph_that_wants_one_size_is_given_it(graph):
    network = feature_network(graph("means.onnx", 24, 24))
    assert network.name.endswith("24 px antialiased bicubic")
    found = network.features(images(5, side=64))
    torch.testing.assert_close(found, (images(5, side=64).mean((2, 3)) + 1) / 2, atol=0.02, rtol=0)


def test_two_files_of_one_name_are_two_networks(tmp_path, scripted):
    names = set()
    for as_map in (False, True):
        (tmp_path / str(as_map)).mkdir()
        file = scripted(tmp_path / str(as_map) / "means.pt", Means(as_map))
        names.add(feature_network(file).name)
    assert len(names) == 2


class Silent(nn.Module):
    """Gives one row, however many images it is shown."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3)).sum(0, keepdim=True)


class Failing(nn.Module):
    """Wants 64 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3 * 64 * 64, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x.flatten(1))


class Two(nn.Module):
    """Gives two tensors, as networks with auxiliary outputs do."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x, x


class Nothing(nn.Module):
    """Gives rows without features."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3))[:, :0]


class Lost(nn.Module):
    """Gives no numbers."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3)) * float("nan")


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        (Silent(), "one row of features for each"),
        (Failing(), "fails on images of shape"),
        (Two(), "returns a tuple; it must return one tensor"),
        (Nothing(), "one row of features for each"),
        (Lost(), "features that are not finite"),
    ],
)
def test_a_network_that_does_not_fit_is_told_in_a_sentence(module, sentence, tmp_path, scripted):
    network = feature_network(scripted(tmp_path / "net.pt", module))
    with pytest.raises(FeaturesError, match=sentence):
        network.features(images(5))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nowhere.pt", "there is no such file"),
        ("notes.txt", r"the file extension must be one of \.pt"),
        ("broken.pt", "damaged, or holds no TorchScript"),
        ("broken.onnx", "needs onnxruntime|damaged, or holds no ONNX graph"),
    ],
)
def test_what_is_no_network_is_refused(name, sentence, tmp_path):
    if name != "nowhere.pt":
        (tmp_path / name).write_bytes(b"nothing")
    with pytest.raises(FeaturesError, match=sentence):
        feature_network(str(tmp_path / name))


def test_an_unknown_name_is_answered_with_all():
    with pytest.raises(UnknownNameError, match="did you mean 'lite0'"):
        feature_network("lite")


def test_inception_says_what_it_needs(tmp_path):
    with pytest.raises(FeaturesError, match=r"needs torch-fidelity|its weights are not at"):
        Inception(tmp_path / "nowhere.pth")
