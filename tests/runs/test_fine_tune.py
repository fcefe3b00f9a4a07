"""Runs that start from a trained model: what they take over, and how they refuse."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import ganvas
from ganvas import cli
from ganvas.checkpoints.metadata import CheckpointError, ModelMetadata, RunMetadata
from ganvas.config import Request
from ganvas.config.yaml import read
from ganvas.events import Done, Notice
from ganvas.generate import export
from ganvas.generate.trained import find_trained
from ganvas.models import MODELS
from ganvas.runs.fine_tune import UnsuitableStartError, take_over
from ganvas.runs.resume import RunError

FLAGS = ["--size", 16, "--batch", 4, "--images", 24, "--latent", 8, "--width", 4, "--samples", 4]


def finished(source, out, **options):
    return list(ganvas.train(source, out, **options))


@pytest.fixture(params=["dcgan", "compact", "progressive", "vae"])
def model(request):
    return request.param


@pytest.fixture
def first(model, copy_of_run, tmp_path):
    return copy_of_run(tmp_path / "first", "--model", model, *FLAGS)


@pytest.fixture
def file(first, tmp_path):
    found = find_trained(first)
    export.write(tmp_path / "g.safetensors", found.average, found.metadata)
    return tmp_path / "g.safetensors"


def test_a_run_goes_on_from_another(model, first, images, tmp_path):
    events = finished(images, tmp_path / "second", start=str(first), images=4, batch=4)
    assert any("It starts from" in e.sentence for e in events if isinstance(e, Notice))
    settings = read(tmp_path / "second" / "run.yaml")
    assert settings["model"] == model
    assert settings["network"]["width"] == 4
    assert settings["data"]["size"] == "16x16"
    assert settings["training"]["start"] == str(first)
    before, after = find_trained(first), find_trained(tmp_path / "second")
    # One step at a small rate: near what it was, and not the same.
    whole, moved = before.checkpoint.tensors("model"), after.checkpoint.tensors("model")
    weights = [k for k in whole if k.endswith("weight") and whole[k].ndim > 1]
    distances = [float((whole[k] - moved[k]).norm() / whole[k].norm()) for k in weights]
    assert 0 < max(distances) < 0.35
    assert after.checkpoint.state.images <= 16


def test_the_generator_of_a_file_is_where_a_run_starts(file, images, tmp_path):
    finished(images, tmp_path / "second", start=str(file), images=4, batch=4)
    before, after = find_trained(file).average, find_trained(tmp_path / "second").average
    for key, tensor in before.items():
        if tensor.is_floating_point() and tensor.ndim > 1:
            assert (tensor.float() - after[key]).norm() < 0.35 * tensor.float().norm(), key


def test_a_run_that_started_from_another_resumes(first, images, tmp_path):
    out = tmp_path / "second"
    finished(images, out, start=str(first), images=16, batch=4)
    for path in sorted(first.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()  # no longer needed
    events = finished(None, out, resume=True, images=24)
    assert isinstance(events[-1], Done)
    assert events[-1].images >= 24
    with pytest.raises(RunError, match=r"training\.start"):
        finished(None, out, resume=True, start="digits")


def test_what_an_older_start_did_not_know_is_as_it_was():
    start = find_trained("digits")
    later = {"upsampling": "filtered", "doublings": 0}
    network = {key: value for key, value in start.model.network.items() if key not in later}
    metadata = replace(start.metadata, model=replace(start.model, network=network))
    taken = take_over(Request(), replace(start, metadata=metadata))
    assert taken.stored["network"] == network | later


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"model": "fc"}, "--model"),
        ({"width": 8}, "--width 4, not 8; leave --width out"),
        ({"size": 24}, "16x16, not 24x24; leave --size out"),
        ({"channels": "1"}, r"3 channels \(colour\).*1 channel.*add --channels 3"),
        ({"labels": "folders"}, "no classes, and your images have 2"),
    ],
)
@pytest.mark.parametrize("model", ["dcgan"])
def test_what_does_not_fit_is_refused_with_what_to_change(asked, sentence, first, images, tmp_path):
    source = images.parent / "in"
    for number, path in enumerate(sorted(images.glob("*.*"))):
        (source / f"class{number % 2}").mkdir(parents=True, exist_ok=True)
        path.rename(source / f"class{number % 2}" / path.name)
    with pytest.raises(UnsuitableStartError, match=sentence):
        finished(source, tmp_path / "second", start=str(first), images=4, batch=4, **asked)
    assert not list((tmp_path / "second").glob("*.yaml"))


@pytest.mark.parametrize("start", ["nowhere", "nothing.safetensors"])
def test_a_start_that_is_not_there_is_refused(start, images, tmp_path):
    with pytest.raises(CheckpointError, match=start):
        finished(images, tmp_path / "second", start=str(tmp_path / start), images=4)


def test_a_file_generates_what_its_run_generates(first, file):
    ours, theirs = ganvas.load(first).sample(4, seed=3), ganvas.load(file).sample(4, seed=3)
    assert (ours - theirs).abs().mean() < 0.005
    assert {t.dtype for t in find_trained(file).average.values()} <= {torch.float16, torch.int64}


@pytest.mark.parametrize("model", ["dcgan"])
def test_damaged_and_foreign_files_are_refused_in_a_sentence(file, tmp_path):
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="cannot be read"):
        ganvas.load(file)
    save_file({"a": torch.zeros(2)}, file, {"format": "pt"})
    with pytest.raises(CheckpointError, match="not a generator of ganvas"):
        ganvas.load(file)
    export.write(file, {"a": torch.zeros(2)}, RunMetadata())
    with pytest.raises(CheckpointError, match="not a generator of ganvas"):
        ganvas.load(file)


def test_numbers_too_large_for_half_precision_stay(tmp_path):
    metadata = RunMetadata(model=ModelMetadata("m", {}, (1, 16, 16)))
    large = {"a": torch.tensor([1e6]), "b": torch.tensor([1.5]), "c": torch.tensor([3])}
    export.write(tmp_path / "g.safetensors", large, metadata)
    tensors, found = export.read(tmp_path / "g.safetensors")
    assert found == metadata
    assert {k: t.dtype for k, t in tensors.items()} == {
        "a": torch.float32,
        "b": torch.float16,
        "c": torch.int64,
    }
    assert all(torch.equal(t.double(), large[k].double()) for k, t in tensors.items())


@pytest.mark.parametrize("model", ["compact"])
def test_export_writes_a_file_without_private_facts(first, tmp_path, run):
    out = tmp_path / "mine.safetensors"
    status, said, _ = run("export", first, "--out", out)
    assert status == 0
    assert "MB" in said
    metadata = find_trained(out).metadata
    assert metadata.dataset is None
    assert metadata.images >= 24
    assert str(tmp_path) not in str(metadata)
    status, _, _ = run("sample", out, "--count", 2, "--out", tmp_path / "new")
    assert status == 0
    with Image.open(tmp_path / "new" / "0001.png") as image:
        assert np.asarray(image).shape == (16, 16, 3)
    status, _, err = run("export", first, "--out", tmp_path / "mine.pt")
    assert status == cli.USAGE
    assert ".safetensors" in err


@pytest.mark.parametrize("name", MODELS)
def test_growth_ends_with_the_image_or_is_refused(name, copy_of_run, tmp_path, run):
    copy_of_run(tmp_path / "run", "--model", name, *FLAGS)
    film = tmp_path / "grow.gif"
    status, out, err = run("grow", tmp_path / "run", "--seeds", "1-4", "--out", film)
    if name not in ("progressive", "msg", "stylegan"):
        assert status == cli.FAILURE
        assert "progress.gif" in err
        assert not film.exists()
        return
    assert status == 0
    assert "4x4, 8x8, 16x16" in out
    pyramid = ganvas.load(tmp_path / "run").growth([1, 2, 3, 4])
    assert [view.shape[2:] for view in pyramid] == [(4, 4), (8, 8), (16, 16)]
    generated_images = ganvas.load(tmp_path / "run").generate([1, 2, 3, 4])
    torch.testing.assert_close(pyramid[-1], generated_images)
    with Image.open(film) as frames:
        assert frames.n_frames > 20
