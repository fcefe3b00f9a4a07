"""Scores of a trained model from the outside: what stands beside them, and how they refuse."""

import json
from importlib import import_module

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save

import ganvas
from ganvas.data import DataSettings, cache_folder, prepare
from ganvas.data.cache.place import FEATURES as CACHED
from ganvas.errors import GanvasError
from ganvas.evaluation import reference
from ganvas.evaluation.features import FEATURES, feature_network
from ganvas.evaluation.metrics import METRICS
from ganvas.evaluation.reference import real_features
from ganvas.events import Evaluated, Looking, Notice, Prepared, result_of
from ganvas.generate.trained import find_trained
from ganvas.imaging import ScarceMemoryError, decode
from ganvas.runtime.device import UnavailableDeviceError
from ganvas.training.callbacks.evaluation import EvaluationError


def looked(*arguments, **options):
    return list(ganvas.evaluate(*arguments, **({"count": 200, "features": "digits"} | options)))


@pytest.fixture(scope="module")
def evaluated():
    """The last event of one evaluation, whose features of real images stay in the cache."""
    return looked("digits")[-1]


@pytest.fixture
def report(evaluated):
    return evaluated.report


def test_good_samples_score_nearly_as_real_ones(report):
    assert report.source == "digits"
    assert report.scores.precision > 0.7
    assert report.scores.kernel < 0.02
    assert abs(report.ceiling.kernel) < 0.002
    assert report.ceiling.coverage > 0.95
    assert report.diversity.ratio == pytest.approx(1, abs=0.15)
    assert report.copied < 0.6


def test_everything_that_a_figure_needs_stands_beside_it(report):
    found = report.as_json()
    json.dumps(found, allow_nan=False)
    assert found["features"].startswith("digits classifier")
    assert "antialiased bicubic" in found["features"]
    assert (found["samples"], found["reals"], found["seed"]) == (200, 10_000, 1_000_000)
    assert METRICS.keys() <= found["scores"].keys() == found["real_halves"].keys()


@pytest.fixture(scope="module")
def some(tmp_path_factory):
    """A folder of 500 of the digits, for what all 10,000 would only take longer to show."""
    folder = tmp_path_factory.mktemp("some")
    for number, image in enumerate(ganvas.images("digits")[:500]):
        pixels = np.rint(127.5 * (image[..., 0] + 1)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


def test_the_same_seeds_score_the_same(some):
    report = looked("digits", some)[-1].report
    assert looked("digits", some)[-1].report == report
    other = looked("digits", some, seed=0)[-1].report
    assert other.scores != report.scores
    assert other.ceiling == report.ceiling


def kinds(source):
    return {event.kind for event in looked("digits", source) if isinstance(event, Looking)}


def test_real_features_are_kept_and_looked_at_once(some):
    looked("digits", some)
    assert kinds(some) == {"generated"}
    files = (cache_folder() / CACHED).glob("*.safetensors")
    (kept,) = (path for path in files if load_file(path)["features"].shape == (500, 128))
    kept.write_bytes(kept.read_bytes()[:1000])  # damaged
    assert kinds(some) == {"real", "generated"}


def test_features_of_different_networks_are_kept_apart(some, tmp_path, scripted):
    looked("digits", some)
    before = set((cache_folder() / CACHED).glob("*"))
    network = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(2), torch.nn.Flatten())
    found = looked("digits", some, features=scripted(tmp_path / "small.pt", network))[-1].report
    assert found.network.startswith("small.pt")
    assert len(set((cache_folder() / CACHED).glob("*")) - before) == 1


@pytest.fixture
def collapsed(tmp_path):
    """A run whose images are few, and whose generator has learnt next to nothing."""
    random = np.random.default_rng(0)
    (tmp_path / "in").mkdir()
    for number in range(48):
        pixels = random.integers(0, 255, (16, 16, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "in" / f"{number}.png")
    small = {"size": 16, "batch": 4, "images": 8, "latent": 8, "width": 4, "mirror": True}
    list(ganvas.train(tmp_path / "in", tmp_path / "run", **small))
    return tmp_path / "run"


def test_a_run_knows_what_it_learnt_from(collapsed):
    events = looked(collapsed, count=60)
    assert isinstance(events[0], Prepared) or isinstance(events[-2], Looking)
    report = events[-1].report
    assert report.reals == 96, "mirror images were learnt from too"
    assert report.scores.coverage < 0.3
    assert report.scores.kernel > 0.1
    against = looked(collapsed, "emoji", count=60)[-1].report
    assert against.source == "emoji"
    assert against.scores.frechet != report.scores.frechet


def test_a_generator_alone_must_be_told(collapsed, tmp_path, run):
    run("export", collapsed, "--out", tmp_path / "g.safetensors")
    with pytest.raises(EvaluationError, match="give them with --against"):
        looked(tmp_path / "g.safetensors")
    assert looked(tmp_path / "g.safetensors", tmp_path / "in", count=60)[-1].report.reals == 48


def notices(events):
    return [event.sentence for event in events if isinstance(event, Notice)]


def test_it_says_when_the_images_are_others(collapsed, tmp_path, run):
    source = tmp_path / "in"
    events = looked(collapsed, count=60)
    assert notices(events) == []
    assert events[-1].others is None
    run("sample", collapsed, "--count", 4, "--out", source / "samples")
    events = looked(collapsed, count=60)
    assert notices(events) == [], "what ganvas has made since is none of them"
    (source / "47.png").unlink()
    events = looked(collapsed, count=60)
    (said,) = notices(events)
    assert said == events[-1].others
    assert "have changed since the model learnt from them (47 are usable now, 48 then)" in said
    (said,) = notices(looked(collapsed, "emoji", count=60))
    assert "emoji are not those that the model learnt from" in said
    status, out, _ = run("evaluate", collapsed, "--count", 60, "--features", "digits")
    assert status == 0
    assert "have changed since the model learnt from them" in out
    arguments = ("evaluate", collapsed, "--count", 60, "--features", "digits", "--json")
    status, out, _ = run(*arguments)
    assert "have changed" in json.loads(out)["other_images"]


def test_images_that_lie_elsewhere_now(collapsed, tmp_path):
    moved = (tmp_path / "in").rename(tmp_path / "moved")
    with pytest.raises(EvaluationError, match=r"not in .* any more; say with --against where"):
        looked(collapsed, count=60)
    events = looked(collapsed, moved, count=60)
    assert notices(events) == []
    assert events[-1].report.reals == 96, "mirrored, as they were learnt from"
    (tmp_path / "in").mkdir()
    with pytest.raises(EvaluationError, match="--against"):
        looked(collapsed, count=60)


def test_what_scores_computes_on_the_device_of_the_run(tmp_path, monkeypatch):
    """Told apart from where all else is by the index of the processor, which is 0 or none."""
    chosen, found = torch.device("cpu", 0), []

    def opened(name, device="cpu"):
        found.append(device)
        return feature_network(name, device)

    for where in ("runs.build", "runs.evaluate"):
        monkeypatch.setattr(import_module(f"ganvas.{where}"), "choose_device", lambda _: chosen)
    for where in ("training.callbacks.evaluation", "runs.evaluate"):
        monkeypatch.setattr(import_module(f"ganvas.{where}"), "feature_network", opened)
    run, images = tmp_path / "run", tmp_path / "images"
    images.mkdir()
    save_images(images, 60)
    every = {"evaluate_every": "1h", "evaluate_count": 50, "features": "digits"}
    list(ganvas.train(images, run, images=64, batch=32, width=4, size=16, **every))
    assert found == [chosen]
    looked(run, count=50)
    assert found == [chosen, chosen]


def test_a_device_that_is_not_there_is_a_sentence(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UnavailableDeviceError, match="no cuda device"):
        looked("digits", device="cuda")


def test_features_of_other_usable_images_under_one_key_are_kept_apart(tmp_path, monkeypatch):
    save_images(tmp_path, 44)
    sets = []
    for missing in ("3.png", "7.png"):  # as many, but others
        monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / f".cache-{missing}"))
        sets.append(without(missing, tmp_path, monkeypatch))
    first, second = sets
    assert (first.key, first.usable) == (second.key, second.usable)
    network = feature_network("digits")
    features = [result_of(real_features(network, images)) for images in sets]
    assert not torch.equal(*features)


def without(name, folder, monkeypatch):
    """The images of a folder as they are while one of them cannot be decoded."""
    data = (folder / name).read_bytes()

    def decoding(given, frame):
        if given == data:
            raise ScarceMemoryError("needs 9 GB of memory")
        return decode(given, frame)

    with monkeypatch.context() as patch:
        patch.setattr("ganvas.data.sources.folder.decode", decoding)
        return result_of(prepare(str(folder), DataSettings(size="8")))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 19, 20, 39])
def test_few_images_are_a_sentence(tmp_path, count, run):
    (tmp_path / "few").mkdir()
    save_images(tmp_path / "few", count)
    arguments = ("--count", 40, "--features", "digits", "--strip", tmp_path / "s.png")
    status, out, err = run("evaluate", "digits", "--against", tmp_path / "few", *arguments)
    assert (status, out) == (1, "")
    assert err.count("\n") == 1
    assert ("no images" if not count else f"{count} usable images, too few") in err


@pytest.mark.parametrize("count", [40, 41, 99, 100])
def test_few_images_that_are_enough(tmp_path, count, run):
    (tmp_path / "few").mkdir()
    save_images(tmp_path / "few", count)
    arguments = ("--count", 40, "--features", "digits", "--strip", tmp_path / "s.png")
    status, out, _ = run("evaluate", "digits", "--against", tmp_path / "few", *arguments)
    assert status == 0
    assert f"against {count} images" in out


def save_images(folder, count):
    random = np.random.default_rng(0)
    for number in range(count):
        pixels = random.integers(0, 255, (8, 8, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"count": "x"}, "count"),
        ({"count": 0}, "count"),
        ({"count": -5}, "count"),
        ({"count": 60.5}, "count"),
        ({"count": True}, "count"),
        ({"count": None}, "count"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"seed": "0"}, "seed"),
        ({"features": 5}, "features"),
        ({"features": None}, "features"),
        ({"features": ""}, "features"),
        ({"against": b"digits"}, "against"),
        ({"against": ""}, "against"),
        ({"against": 7}, "against"),
        ({"run": None}, "run"),
        ({"run": b"digits"}, "run"),
        ({"run": "a\0b"}, "run"),
    ],
    ids=str,
)
def test_arguments_that_cannot_be(arguments, name):
    with pytest.raises(GanvasError, match=name):
        ganvas.evaluate(**({"run": "digits"} | arguments))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 10**12}, "1,000,000,000,000 samples do not fit into memory"),
        ({"against": "~nobody-of-that-name/in"}, "nobody here has that home folder"),
        ({"against": "nothing here"}, "there is no folder, .zip archive or built-in set"),
        ({"run": "~nobody-of-that-name/run"}, "nobody here has that home folder"),
        ({"features": "~nobody-of-that-name/x.pt"}, "nobody here has that home folder"),
    ],
)
def test_what_shows_later_is_a_sentence_too(evaluated, arguments, message):
    with pytest.raises(GanvasError, match=message):
        looked(**({"run": "digits"} | arguments))


def test_the_place_of_the_strip_is_tried_before_anything_else(tmp_path, run, monkeypatch):
    (tmp_path / "photo.png").write_bytes(b"somebody's")
    monkeypatch.setattr("ganvas.runs.evaluate.find_trained", None)
    for place, message in {
        tmp_path: "is a folder",
        tmp_path / "nowhere" / "x.png": "there is no folder",
        tmp_path / "photo.png": "ganvas has not made it",
        tmp_path / "photo.png" / "x.png": "photo.png",
    }.items():
        status, out, err = run("evaluate", "digits", "--strip", place)
        assert (status, out) == (1, "")
        assert message in err
        assert "--strip" in err
        assert err.count("\n") == 1
    assert (tmp_path / "photo.png").read_bytes() == b"somebody's"


def test_features_in_the_cache_are_whole_or_made_anew(tmp_path):
    save_images(tmp_path, 41)
    images = result_of(prepare(str(tmp_path), DataSettings(size="8")))
    network = feature_network("digits")
    before = set((cache_folder() / CACHED).glob("*"))
    features = result_of(real_features(network, images))
    (path,) = set((cache_folder() / CACHED).glob("*")) - before
    sound, random = path.read_bytes(), np.random.default_rng(0)
    for number in range(2000):
        data = bytearray(sound)
        at = random.integers(len(data) if number % 2 else 200)  # of these the head is most
        data[at] ^= 1 << int(random.integers(8))
        path.write_bytes(data)
        kept = reference._read_cached(path, 41)
        assert kept is None or torch.equal(kept, features)
    other = save({"features": torch.full_like(features, 3)})
    for data in (b"", sound[:100], other, save({"x": features})):
        path.write_bytes(data)
        assert torch.equal(result_of(real_features(network, images)), features)


def test_too_few_are_refused(collapsed, tmp_path):
    with pytest.raises(EvaluationError, match="--count of 40 or more"):
        looked("digits", count=39)
    for file in list((tmp_path / "in").iterdir())[:20]:
        file.unlink()
    with pytest.raises(EvaluationError, match="28 usable images"):
        looked(collapsed, count=60)


def test_the_strip_shows_samples_over_their_nearest_real_images(evaluated):
    event = evaluated
    assert isinstance(event, Evaluated)
    shape = find_trained("digits").model.shape
    assert event.strip.shape == (2 * shape[1] + 6, 10 * (shape[2] + 2) + 2, 3)
    top, bottom = event.strip[2 : 2 + shape[1]], event.strip[4 + shape[1] : -2]
    between = np.abs(top.astype(float) - bottom).mean()
    others = np.abs(top.astype(float) - np.roll(bottom, shape[2] + 2, axis=1)).mean()
    assert between < 0.6 * others, "each is like the image below it"


def test_the_command_prints_a_table_and_writes_the_strip(some, tmp_path, run):
    place = tmp_path / "pairs.png"
    few = ("--count", 100, "--features", "digits", "--against", some)
    arguments = ("evaluate", "digits", *few, "--strip", place)
    status, out, _ = run(*arguments)
    assert status == 0
    assert all(name in out for name in METRICS)
    assert "100 samples from seed 1,000,000 on against 500 images" in out
    assert "digits classifier" in out
    assert Image.open(place).text["ganvas.features"].startswith("digits classifier")
    status, out, _ = run(*arguments, "--json")
    assert status == 0
    assert json.loads(out)["strip"] == str(place)


def test_the_command_refuses_in_a_sentence(tmp_path, run):
    status, _, err = run("evaluate", "digits", "--features", "incepton")
    assert status == 1
    assert "did you mean 'inception'" in err
    assert all(name in err for name in FEATURES)
