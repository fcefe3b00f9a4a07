"""Scores of a trained model from the outside: what stands beside them, and how they refuse."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import ganvas
from ganvas.data import cache_folder
from ganvas.data.cache import FEATURES as CACHED
from ganvas.events import Evaluated, Looking, Prepared
from ganvas.latent.trained import trained
from ganvas.metrics import METRICS
from ganvas.training.evaluating import EvaluationError
from ganvas.vision import FEATURES


def looked(*arguments, **options):
    return list(ganvas.evaluate(*arguments, **({"count": 200, "features": "digits"} | options)))


@pytest.fixture(scope="module")
def evaluated():
    """The last event of one evaluation, whose features of real pictures stay in the cache."""
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


def test_the_same_seeds_score_the_same(report):
    assert looked("digits")[-1].report == report
    other = looked("digits", seed=0)[-1].report
    assert other.scores != report.scores
    assert other.ceiling == report.ceiling


def test_real_features_are_kept_and_looked_at_once(evaluated):
    kinds = {event.kind for event in looked("digits") if isinstance(event, Looking)}
    assert kinds == {"generated"}
    files = (cache_folder() / CACHED).glob("*.safetensors")
    (kept,) = (path for path in files if load_file(path)["features"].shape == (10_000, 128))
    kept.write_bytes(kept.read_bytes()[:1000])  # damaged
    kinds = {event.kind for event in looked("digits") if isinstance(event, Looking)}
    assert kinds == {"real", "generated"}


def test_features_of_different_networks_are_kept_apart(evaluated, tmp_path, scripted):
    before = set((cache_folder() / CACHED).glob("*"))
    network = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(2), torch.nn.Flatten())
    found = looked("digits", features=scripted(tmp_path / "small.pt", network))[-1].report
    assert found.network.startswith("small.pt")
    assert len(set((cache_folder() / CACHED).glob("*")) - before) == 1


@pytest.fixture
def collapsed(tmp_path):
    """A run whose pictures are few, and whose generator has learnt next to nothing."""
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


def test_too_few_are_refused(collapsed, tmp_path):
    with pytest.raises(EvaluationError, match="--count of 40 or more"):
        looked("digits", count=39)
    for file in list((tmp_path / "in").iterdir())[:20]:
        file.unlink()
    with pytest.raises(EvaluationError, match="28 usable pictures"):
        looked(collapsed, count=60)


def test_the_strip_shows_samples_over_their_nearest_real_pictures(evaluated):
    event = evaluated
    assert isinstance(event, Evaluated)
    shape = trained("digits").facts["shape"]
    assert event.strip.shape == (2 * shape[1] + 6, 10 * (shape[2] + 2) + 2, 3)
    top, bottom = event.strip[2 : 2 + shape[1]], event.strip[4 + shape[1] : -2]
    between = np.abs(top.astype(float) - bottom).mean()
    others = np.abs(top.astype(float) - np.roll(bottom, shape[2] + 2, axis=1)).mean()
    assert between < 0.6 * others, "each is like the picture below it"


def test_the_command_prints_a_table_and_writes_the_strip(tmp_path, run):
    place = tmp_path / "pairs.png"
    arguments = ("evaluate", "digits", "--count", 100, "--features", "digits", "--strip", place)
    status, out, _ = run(*arguments)
    assert status == 0
    assert all(name in out for name in METRICS)
    assert "100 samples from seed 1,000,000 on against 10,000 pictures" in out
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
