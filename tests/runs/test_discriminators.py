"""Runs whose generator learns through a pretrained network, alone or beside its own."""

import hashlib

import numpy as np
import pytest
import torch
from PIL import Image

import ganvas
from ganvas.evaluation.features import feature_network
from ganvas.evaluation.impartial import warning
from ganvas.events import Notice, Step
from ganvas.generate import export
from ganvas.generate.trained import find_trained
from ganvas.models import MODELS, UnsuitableOptionError
from ganvas.models.anchors import Anchors
from ganvas.models.compact import CompactGAN
from ganvas.models.projected import ProjectedDiscriminator
from ganvas.pretrained.lite0 import WEIGHTS
from ganvas.runs.errors import RunError

SMALL = {"batch": 4, "images": 12, "latent": 8, "width": 4, "samples": 4}


def train(source, out, **options):
    return list(ganvas.train(source, out, **(SMALL | {"size": "16"} | options)))


def train_until(step, source, out, **options):
    """Stop a run after this step."""
    events = ganvas.train(source, out, **(SMALL | {"size": "16"} | options))
    while not (isinstance(event := next(events), Step) and event.step == step):
        pass
    events.close()


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """As many images as it takes to be scored."""
    folder = tmp_path_factory.mktemp("many")
    random = np.random.default_rng(0)
    for i in range(40):
        Image.fromarray(random.integers(0, 255, (16, 16, 3), np.uint8)).save(folder / f"{i}.png")
    return folder


def tensors(run):
    return find_trained(run).checkpoint.all_tensors()


def same(one, other):
    ours, theirs = tensors(one), tensors(other)
    assert ours.keys() == theirs.keys()
    for file, found in ours.items():
        assert found.keys() == theirs[file].keys()
        for name, tensor in found.items():
            assert torch.equal(tensor, theirs[file][name]), f"{file} {name}"


@pytest.mark.parametrize(
    ("discriminator", "form"),
    [
        ("both", {"channels": "1"}),
        ("pretrained", {"channels": "4", "match": 3.0}),
        ("both", {"size": "16x24", "match": 3.0}),
        ("pretrained", {"channels": "3", "match": 0.0}),
        ("both", {"size": "32", "doublings": 1}),
        ("both", {"size": "64x80", "doublings": 2, "accumulate": 2}),
        ("own", {"size": "32", "doublings": 1}),
    ],
    ids=str,
)
def test_a_run_resumes_exactly_whatever_its_images(discriminator, form, images, tmp_path):
    options = {"discriminator": discriminator, **form}
    train(images, tmp_path / "whole", **options)
    train_until(2, images, tmp_path / "half", **options)
    list(ganvas.train(None, tmp_path / "half", resume=True))
    same(tmp_path / "whole", tmp_path / "half")


@pytest.mark.parametrize("name", [n for n, spec in MODELS.items() if spec.trainer == "adversarial"])
def test_every_gan_learns_through_both(name, images, tmp_path):
    options = {"match": 3.0} | ({} if name == "fc" else {"width": 4})
    small = {key: value for key, value in SMALL.items() if key != "width"} | options
    list(ganvas.train(images, tmp_path, model=name, size="16", discriminator="both", **small))
    learnt = tensors(tmp_path)
    heads = [key for key in learnt["model"] if key.startswith("projected.heads.")]
    moments = [
        key for key in learnt["optimizer-discriminator"] if key.startswith("projected.heads.")
    ]
    assert heads
    assert {key.split(":")[0] for key in moments} == {*heads}
    assert not any("projected" in key for key in learnt["average"])


def test_classes_are_learnt(images, tmp_path):
    for file in [*images.iterdir()]:
        kind = images / ("even" if int(file.stem) % 2 else "odd")
        kind.mkdir(exist_ok=True)
        file.rename(kind / file.name)
    train(images, tmp_path / "run", discriminator="both", labels="folders", match=3.0)
    heads = tensors(tmp_path / "run")["model"]
    assert heads["projected.heads.0.projection.weight"].shape[0] == 2


def test_only_heads_are_trained_when_alone(images, tmp_path):
    train(images, tmp_path / "short", discriminator="pretrained", images=4)
    train(images, tmp_path / "long", discriminator="pretrained")
    short, long = tensors(tmp_path / "short")["model"], tensors(tmp_path / "long")["model"]
    moved = {key.split(".")[0] for key in short if not torch.equal(short[key], long[key])}
    fixed = [k for k in short if k.startswith("projected.") and ".heads." not in k]
    assert moved == {"generator", "projected"}
    assert all(torch.equal(short[key], long[key]) for key in fixed)


def test_the_discriminator_of_a_run_cannot_change(images, tmp_path):
    train(images, tmp_path)
    with pytest.raises(RunError, match=r"game\.discriminator own -> both"):
        list(ganvas.train(None, tmp_path, resume=True, images=20, discriminator="both"))


def test_a_run_may_start_from_one_with_another_discriminator(images, tmp_path):
    train(images, tmp_path / "own")
    events = train(images, tmp_path / "both", start=str(tmp_path / "own"), discriminator="both")
    said = [event.sentence for event in events if isinstance(event, Notice)]
    assert any("the discriminator on a pretrained network begins anew" in one for one in said)
    train(images, tmp_path / "again", start=str(tmp_path / "both"), discriminator="both")
    events = train(images, tmp_path / "back", start=str(tmp_path / "both"))
    assert not any(key.startswith("projected.") for key in tensors(tmp_path / "back")["model"])


def test_a_run_that_starts_from_a_grown_one_stays_at_full_size(images, tmp_path, monkeypatch):
    options = {"size": "32", "doublings": 1}
    train(images, tmp_path / "short", **options, images=4)
    assert int(tensors(tmp_path / "short")["model"]["generator.halvings"]) == 1
    train(images, tmp_path / "grown", **options)
    shown, fake = set(), CompactGAN.fake
    monkeypatch.setattr(
        CompactGAN, "fake", lambda *given: [shown.add(x.shape[2]) or x for x in fake(*given)]
    )
    start = str(tmp_path / "grown")
    # Only a budget is planned by timing steps; how many of them fit into it changes nothing here.
    list(ganvas.train(images, tmp_path / "next", start=start, budget="1s", samples=4))
    assert shown == {32}, "when it is planned, too"


def anchors(run):
    return find_trained(run).generator().anchors


def test_a_generator_knows_the_codes_of_its_images(images, tmp_path):
    train(images, tmp_path / "run", discriminator="both")
    codes = anchors(tmp_path / "run").codes
    assert codes.shape == (12, 4)  # half of its latents
    assert len(torch.unique(codes, dim=0)) == 12
    model = tensors(tmp_path / "run")["model"]
    assert torch.equal(model["generator.anchors.codes"], codes)
    found = find_trained(tmp_path / "run")
    export.write(tmp_path / "small.safetensors", found.average, found.metadata)
    torch.testing.assert_close(anchors(tmp_path / "small.safetensors").codes, codes.half().float())
    train(images, tmp_path / "unmatched", discriminator="both", match=0.0)
    assert anchors(tmp_path / "unmatched") is None


@pytest.mark.parametrize("exported", [False, True])
@pytest.mark.parametrize(("before", "now"), [(0.0, 3.0), (3.0, 0.0), (3.0, 3.0)])
def test_a_run_may_start_from_one_with_other_anchors(before, now, exported, images, tmp_path):
    train(images, tmp_path / "first", discriminator="both", match=before)
    start = tmp_path / "first"
    if exported:
        found, start = find_trained(start), tmp_path / "small.safetensors"
        export.write(start, found.average, found.metadata)
    for file in [*images.iterdir()][:4]:
        file.unlink()
    train(images, tmp_path / "on", start=str(start), discriminator="both", match=now)
    names = tensors(tmp_path / "on")["model"]
    assert any("matching" in name for name in names) == (now > 0)
    # Its own images' where it matches, otherwise those that the generator has learnt with.
    assert len(anchors(tmp_path / "on").codes) == (8 if now else 12)


@pytest.mark.parametrize("exported", [False, True])
def test_codes_keep_their_meaning_when_a_run_starts_from_another(exported, images, tmp_path):
    train(images, tmp_path / "first", discriminator="both")
    start = tmp_path / "first"
    if exported:
        found, start = find_trained(start), tmp_path / "small.safetensors"
        export.write(start, found.exported(), found.metadata)
    for file in [*images.iterdir()][:4]:
        file.unlink()
    train(images, tmp_path / "on", start=str(start), discriminator="both")
    axes = "projected.matching.codes.axes"
    first, on = (tensors(tmp_path / name)["model"] for name in ("first", "on"))
    torch.testing.assert_close(first[axes], on[axes], rtol=1e-3 if exported else 0, atol=0)
    # Along each of the same axes its own images are spread as those of the first run were.
    codes = anchors(tmp_path / "on").codes
    assert codes.shape == (8, 4)
    assert codes.mean(0).abs().max() < 0.05
    assert (codes.amin(0) < -2).all()
    assert (codes.amax(0) > 2).all()


def test_a_checkpoint_from_before_anchors_goes_on_without(small, begin):
    _, state = begin("compact", small("compact"))
    older, metadata = state.tensors(), state.metadata()
    for generator in (state.model.generator, state.average):
        generator.anchors = Anchors(torch.zeros(3, 2), torch.zeros(3, dtype=torch.long))
    state.restore(older, metadata)
    assert state.average.anchors is None
    assert state.model.generator.anchors is None


def test_images_that_are_too_small_are_refused(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for i in range(4):
        pixels = np.full((8, 8, 3), 40 * i, np.uint8)
        Image.fromarray(pixels).save(images / f"{i}.png")
    with pytest.raises(UnsuitableOptionError, match="sides of 16 pixels or more; leave it out"):
        train(images, tmp_path / "run", model="fc", size="8", discriminator="both", width=None)
    assert not (tmp_path / "run").exists()


def test_a_run_that_goes_on_does_not_measure_again(images, tmp_path, monkeypatch):
    train(images, tmp_path / "run", discriminator="both")
    monkeypatch.setattr(ProjectedDiscriminator, "measure", None)
    list(ganvas.train(None, tmp_path / "run", resume=True, images=20))
    assert len(anchors(tmp_path / "run").codes) == 12


def test_a_run_from_before_an_option_goes_on_without(images, tmp_path):
    options = {"discriminator": "both", "match": 0.0, "heads_noise": 0.0}
    train(images, tmp_path / "whole", **options)
    train_until(2, images, tmp_path / "half", **options)
    described = tmp_path / "half" / "run.yaml"
    lines = described.read_text("utf-8").splitlines()
    old = [line for line in lines if line.strip().split(":")[0] not in {"match", "heads_noise"}]
    assert len(old) == len(lines) - 2
    described.write_text("\n".join([*old, ""]), "utf-8")
    list(ganvas.train(None, tmp_path / "half", resume=True))
    same(tmp_path / "whole", tmp_path / "half")
    assert not any("matching" in name for name in tensors(tmp_path / "half")["model"])


NETWORK = "EfficientNet-Lite0"


def test_a_run_says_what_it_learnt_through(images, tmp_path):
    train(images, tmp_path / "both", discriminator="both")
    train(images, tmp_path / "own")
    checksum = hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()
    found = find_trained(tmp_path / "both")
    assert found.metadata.pretrained == {NETWORK: checksum}
    assert find_trained(tmp_path / "own").metadata.pretrained == {}
    export.write(tmp_path / "small.safetensors", found.average, found.metadata)
    exported = find_trained(tmp_path / "small.safetensors")
    assert exported.metadata.pretrained == {NETWORK: checksum}
    assert not any("projected" in name for name in exported.average)
    export.write(tmp_path / "small.safetensors", found.exported(), found.metadata)
    names = {*export.read(tmp_path / "small.safetensors")[0]} - {*found.average}
    assert names
    assert not any("heads" in name or "network" in name for name in names)


def test_a_run_resumes_through_no_other_weights(images, tmp_path, monkeypatch):
    train(images, tmp_path / "run", discriminator="both")
    monkeypatch.setattr(ProjectedDiscriminator, "pretrained", {NETWORK: "0" * 64})
    with pytest.raises(RunError, match=f"the weights of {NETWORK} are not those"):
        list(ganvas.train(None, tmp_path / "run", resume=True, images=20))
    events = train(images, tmp_path / "on", start=str(tmp_path / "run"), discriminator="both")
    said = [event.sentence for event in events if isinstance(event, Notice)]
    assert any("the discriminator on a pretrained network begins anew" in one for one in said)


def test_a_network_that_taught_a_run_does_not_judge_it_unnoticed(many, tmp_path):
    scored = {"evaluate_every": "10m", "evaluate_count": 40, "features": "lite0"}
    events = train(many, tmp_path, discriminator="both", **scored)
    said = [event.sentence for event in events if isinstance(event, Notice)]
    assert any(f"learnt through {NETWORK}" in one for one in said)
    *_, last = ganvas.evaluate(tmp_path, count=40, features="lite0")
    assert "--features vgg19 is impartial" in last.warning
    *_, last = ganvas.evaluate(tmp_path, count=40)
    assert last.warning is None


@pytest.mark.parametrize("name", ["lite0", "vgg19", "digits"])
def test_only_a_teacher_is_warned_of(name):
    network = feature_network(name)
    assert warning(network, []) is None
    assert (warning(network, [NETWORK]) is None) == (name != "lite0")
