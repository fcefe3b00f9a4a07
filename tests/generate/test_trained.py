"""Which trained model a name means, and what is said where it means none."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

import ganvas
from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.metadata import CheckpointError, ModelMetadata, RunMetadata
from ganvas.errors import GanvasError
from ganvas.generate import export
from ganvas.generate.pipeline import FallbackWarning
from ganvas.generate.trained import SHIPPED, find_trained

SHAPE = (1, 16, 16)


@pytest.fixture
def own(begin, small):
    """Tensors and facts of a model of one's own."""
    _, state = begin("fc", small("fc"))
    state.step = 7
    model = ModelMetadata("fc", {"latent": 8, "width": 4}, SHAPE)
    return state.tensors(), RunMetadata(model=model, state=state.metadata())


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lay(folder, own, step=7):
    checkpoint.write(folder / "checkpoints" / f"step-{step:09d}", own[0], own[1])


@pytest.mark.parametrize("name", SHIPPED)
def test_a_run_or_a_file_comes_before_what_is_shipped_under_its_name(name, here, own):
    assert find_trained(name).shipped == name
    export.write(here / name, own[0]["average"], own[1])  # a file without an ending
    assert find_trained(name).model.shape == SHAPE
    (here / name).unlink()
    lay(here / name, own)
    for where in (name, here / name, f"./{name}"):
        assert find_trained(where).model.shape == SHAPE
        assert find_trained(where).shipped is None
    checkpoint.write(here / "other", own[0], own[1])
    (here / name / "checkpoints").rename(here / "elsewhere")
    (here / name).rmdir()
    (here / "other").rename(here / name)  # the folder of a checkpoint
    assert find_trained(name).model.shape == SHAPE
    assert ganvas.load(name).sample(1).shape == (1, *SHAPE)
    found = find_trained(f"builtin:{name}")
    assert (found.shipped, found.name, found.checkpoint) == (name, name, None)
    assert found.model.shape != SHAPE


@pytest.mark.parametrize("kind", ["images", "empty", "link"])
def test_a_folder_that_is_no_run_does_not(kind, here):
    (here / "digits" if kind != "link" else here / "images").mkdir()
    if kind == "images":
        (here / "digits" / "1.png").write_bytes(b"")
    if kind == "link":
        (here / "digits").symlink_to("images", target_is_directory=True)
    assert find_trained("digits").shipped == "digits"


def test_a_run_that_has_not_been_saved_is_not_passed_over(here):
    (here / "digits").mkdir()
    (here / "digits" / "run.yaml").write_text("")
    with pytest.raises(CheckpointError, match="has the run been saved yet"):
        find_trained("digits")


def test_what_is_not_there_is_said_with_what_there_is(here):
    for name in ("nothing", "builtin:nothing", "digit"):
        with pytest.raises(CheckpointError, match=r"no run, checkpoint.*digits, emoji"):
            find_trained(name)
    (here / "folder").mkdir()
    with pytest.raises(CheckpointError, match="no checkpoint below folder"):
        find_trained("folder")


WRONG = [
    5,
    None,
    b"digits",
    "",
    [],
    ["digits"],
    1.5,
    True,
    "a\0b",
    "x" * 5000,
    "~nobody-at-all/run",
]


@pytest.mark.parametrize("where", WRONG, ids=lambda where: repr(where)[:20])
def test_what_is_no_name_is_a_sentence(where):
    for open_it in (ganvas.load, find_trained):
        with pytest.raises(GanvasError) as fault:
            open_it(where)
        assert str(fault.value).isprintable()


def test_a_wrong_argument_is_named():
    with pytest.raises(GanvasError, match=r"^run must be a name or a path, not 5"):
        ganvas.load(5)


def test_home_is_filled_in(own, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    lay(tmp_path / "run", own)
    assert ganvas.load("~/run").metadata.state.step == 7


def test_a_damaged_newest_one_is_told(own, tmp_path):
    lay(tmp_path, own, 7)
    lay(tmp_path, own, 8)
    (tmp_path / "checkpoints" / "step-000000008" / "average.safetensors").write_bytes(b"")
    with pytest.warns(FallbackWarning, match="step-000000008"):
        assert ganvas.load(tmp_path).metadata.state.step == 7


WRONG_FACTS = [
    ({"name": "of-tomorrow"}, "no model called 'of-tomorrow'.*update ganvas"),
    ({"network": {"latent": 8, "width": 4, "attention": 1}}, "no setting 'attention'.*update"),
    ({"network": {"latent": 8, "width": 8}}, r"layers\.0\.weight is 4x8 and not 8x8"),
    ({"network": {"latent": 8, "width": 10**9}}, "invalid width"),
    ({"shape": [3, 16, 16]}, "layers.9.weight is 256x16 and not 768x16"),
    ({"shape": [1, 4096, 4096]}, "layers.9.weight"),
    ({"classes": ["a", "b"]}, r"layers\.0\.weight is 4x8 and not 4x10"),
]


@pytest.mark.parametrize(("change", "sentence"), WRONG_FACTS)
def test_a_description_that_does_not_fit_is_a_sentence(change, sentence, own, tmp_path):
    tensors, metadata = own
    metadata = replace(metadata, model=replace(metadata.model, **change))
    lay(tmp_path, (tensors, metadata))
    export.write(tmp_path / "g.safetensors", tensors["average"], metadata)
    for where in (tmp_path, tmp_path / "g.safetensors"):
        with pytest.raises(CheckpointError, match=sentence.replace("layers.9", r"layers\.\d+")):
            find_trained(where)


def test_weights_that_are_not_finite_are_a_sentence(own, tmp_path):
    tensors, metadata = own
    tensors["average"]["layers.0.bias"][0] = torch.nan
    lay(tmp_path, (tensors, metadata))
    export.write(tmp_path / "g.safetensors", tensors["average"], metadata)
    for where in (tmp_path, tmp_path / "g.safetensors"):
        with pytest.raises(CheckpointError, match=r"layers\.0\.bias has numbers that are not"):
            ganvas.load(where)


def test_a_checkpoint_without_a_generator_is_a_sentence(own, tmp_path):
    tensors, metadata = own
    checkpoint.write(tmp_path / "a", {"model": tensors["model"]}, metadata)
    with pytest.raises(CheckpointError, match=r"holds no average\.safetensors"):
        find_trained(tmp_path / "a")
    checkpoint.write(
        tmp_path / "b", tensors, RunMetadata(state=metadata.state)
    )  # of a trial in a search
    with pytest.raises(CheckpointError, match="does not say its 'model'"):
        find_trained(tmp_path / "b")


METADATA = [
    ({"format": "1", "ganvas": "{"}, "is damaged: it is not JSON"),
    ({"format": "1", "ganvas": "[" * 100_000}, "is damaged: it is not JSON"),
    ({"format": "1", "ganvas": json.dumps({"a": json.loads("[" * 60 + "]" * 60)})}, "too deeply"),
    ({"format": "1", "ganvas": "5"}, "it describes no run"),
    ({"format": "1", "ganvas": "null"}, "it describes no run"),
    ({"format": "1"}, "is not a generator of ganvas"),
    ({"format": "9", "ganvas": '{"model": 5}'}, "format '9'.*update ganvas"),
    ({"format": "2", "ganvas": '{"model": 5}'}, "is damaged: model"),
    ({"ganvas": '{"model": 5}'}, "format 'None'"),
    ({"format": "1", "ganvas": '{"model": "fc"}'}, "is damaged: model.network"),
    ({"format": "2", "ganvas": '{"images": 5}'}, "is not a generator of ganvas"),
    ({"format": "pt"}, "is not a generator of ganvas"),
]


@pytest.mark.parametrize(("metadata", "sentence"), METADATA)
def test_metadata_of_another_form_is_a_sentence(metadata, sentence, tmp_path):
    save_file({"a": torch.zeros(2)}, tmp_path / "g.safetensors", metadata)
    with pytest.raises(CheckpointError, match=sentence):
        find_trained(tmp_path / "g.safetensors")


@pytest.mark.parametrize("kind", ["folder", "empty", "text", "image", "dangling", "missing"])
def test_a_file_that_is_none_is_a_sentence(kind, tmp_path):
    path = tmp_path / "g.safetensors"
    match kind:
        case "folder":
            path.mkdir()
        case "dangling":
            path.symlink_to("nowhere")
        case "empty" | "text" | "image":
            path.write_bytes({"empty": b"", "text": b"hello", "image": b"\x89PNG\r\n"}[kind])
    with pytest.raises(CheckpointError, match=r"g\.safetensors"):
        find_trained(path)
