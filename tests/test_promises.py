"""What an earlier commit wrote is read by every later one: runs, generators, images (README there).

A commit whose format differs adds its own folder to tests/promises; none is ever taken away.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import ganvas
from ganvas import cli
from ganvas.events import Done, Notice

FIRST = Path(__file__).parent / "promises/e14235c"
KEPT = sorted(Path(__file__).parent.glob("promises/*/"))
RUNS = [run.parent for kept in KEPT for run in sorted(kept.glob("*/checkpoints"))]
GENERATORS = [file for kept in KEPT for file in sorted(kept.glob("*.safetensors"))]
ASSETS = Path(ganvas.__file__).parent / "assets"
FULL, HALF = 1e-3, 0.05  # what rounding may change: samples are kept in 16 bits, exports written so


def said(run):
    """Step, images, and model, network and shape, as the file itself says."""
    for found in run.glob("checkpoints/*/facts.json"):
        facts = json.loads(found.read_text("utf-8"))
        return facts["step"], facts["images"], [facts[n] for n in ("model", "network", "shape")]
    (found,) = run.glob("checkpoints/*/metadata.json")
    content = json.loads(found.read_text("utf-8"))
    state, model = content["state"], content["model"]
    return state["step"], state["images"], [model[n] for n in ("name", "network", "shape")]


def named(path):
    return f"{path.parent.name}-{path.stem}"


def sampled(path):
    return torch.as_tensor(ganvas.load(path).sample(4, seed=3)).float().numpy()


@pytest.fixture(params=RUNS, ids=named)
def run(request, tmp_path):
    """A copy of a run that may be written to, and where it was kept."""
    copy = tmp_path / request.param.name
    shutil.copytree(request.param, copy)
    return copy, request.param


def command(*arguments, status=0):
    with pytest.raises(SystemExit) as end:
        cli.main([*map(str, arguments)])
    assert end.value.code == status


def test_something_is_kept():
    assert len(RUNS) >= 4
    assert len(GENERATORS) >= 2


def test_a_run_draws_what_it_drew(run):
    copy, kept = run
    then = np.load(kept.with_suffix(".npy")).astype(np.float32)
    np.testing.assert_allclose(sampled(copy), then, atol=FULL)


@pytest.mark.parametrize("file", GENERATORS, ids=named)
def test_a_generator_draws_what_it_drew(file):
    then = np.load(file.with_suffix(".npy")).astype(np.float32)
    np.testing.assert_allclose(sampled(file), then, atol=HALF)


def test_a_run_goes_on(run):
    copy, _ = run
    step, images, _ = said(copy)
    events = list(ganvas.train(out=copy, resume=True, images=images + 160))
    done = events[-1]
    assert isinstance(done, Done)
    assert (done.step, done.images) == (step + 10, images + 160)
    notices = " ".join(e.sentence for e in events if isinstance(e, Notice))
    assert "no longer exactly" not in notices  # the same images, and nothing of the run is lost
    lines = (copy / "metrics.jsonl").read_text("utf-8").splitlines()
    assert len(lines) > done.step


def test_its_settings_begin_the_same_run(run, tmp_path):
    copy, _ = run
    command("train", "--config", copy / "run.yaml", "--out", tmp_path / "again", "--images", 32)
    model, network, shape = said(tmp_path / "again")[2]
    then_model, then_network, then_shape = said(copy)[2]
    assert (model, shape) == (then_model, then_shape)
    assert network | then_network == network
    new = network.keys() - then_network.keys()
    assert not any(network[name] for name in new), "what it did not know is switched off"


def test_a_new_run_starts_from_it(run, tmp_path):
    copy, _ = run
    events = list(ganvas.train("digits", tmp_path / "new", start=copy, images=32, batch=16))
    assert any("starts from" in e.sentence for e in events if isinstance(e, Notice))


def test_the_doctor_remembers_what_it_did(capsys):
    command("doctor", FIRST / "fc")
    said = capsys.readouterr().out
    assert "lr_d 1 -> 0.0014" in said
    assert "Step 16: too fast" in said
    assert "Step 320: too strong" in said


def test_a_run_that_was_stopped_in_its_race_begins_as_planned(tmp_path):
    shutil.copytree(FIRST / "race", tmp_path / "run")
    *events, done = ganvas.train(out=tmp_path / "run", resume=True)
    said = [event.sentence for event in events if isinstance(event, Notice)]
    assert any("ganvas sweep" in sentence for sentence in said)
    assert isinstance(done, Done)
    assert done.images == 2000


def test_an_image_says_how_it_was_made(tmp_path, monkeypatch):
    for name in ("moose.jpg", "van_gogh_night_cafe.jpg"):
        shutil.copy(ASSETS / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    command("style", "--like", FIRST / "styled.png", "--out", "again.png", "--iterations", 1)
    assert (tmp_path / "again.png").exists()
