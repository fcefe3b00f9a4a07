"""Searches from the outside: who wins, what is left on the disk, and stops at every point."""

import json
import os
import shutil
import signal
from contextlib import closing

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

import ganvas
from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.metadata import CheckpointError
from ganvas.evaluation.features import DigitsClassifier
from ganvas.events import Done, Notice, RoundFinished, Step, TrialProgress
from ganvas.runs.search import SearchError, Study
from ganvas.runs.search import search as searching
from ganvas.training.callbacks.checkpoints import Checkpointer

SMALL = {
    "size": 16, "batch": 4, "images": 400, "latent": 8, "width": 4, "trials": 4,
    "features": "digits", "doctor": "off", "samples": 4,
}  # fmt: skip


@pytest.fixture(scope="module")
def fifty(tmp_path_factory):
    """A folder of fifty images: spots on black."""
    folder, random = tmp_path_factory.mktemp("fifty"), np.random.default_rng(0)
    for number in range(50):
        pixels = np.zeros((16, 16, 3), np.uint8)
        y, x = random.integers(0, 10, 2)
        pixels[y : y + 6, x : x + 6] = random.integers(100, 255, 3)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


@pytest.fixture(autouse=True, scope="module")
def _fewer_samples():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(searching, "SAMPLES", 120)
        yield


def searched(source, out, **options):
    return list(ganvas.train(source, out, **(SMALL | options)))


def final(out):
    return checkpoint.newest(out / "checkpoints")[0].all_tensors()


def same(first, second):
    return all(
        torch.equal(tensor, second[name][key])
        for name, tensors in first.items()
        for key, tensor in tensors.items()
    )


@pytest.fixture(scope="module")
def whole(fifty, _fewer_samples, tmp_path_factory):
    """A search that nothing stopped: its events, and its folder. Nobody may write there."""
    out = tmp_path_factory.mktemp("search") / "whole"
    return searched(fifty, out), out


@pytest.fixture
def own(whole, tmp_path):
    """A copy of its folder that a test may change."""
    return shutil.copytree(whole[1], tmp_path / "own")


def test_rounds_halve_and_the_best_goes_on(whole):
    events, _ = whole
    one, two = [event for event in events if isinstance(event, RoundFinished)]
    assert [len(one.standings), len(two.standings)] == [4, 2]
    for found in (one, two):
        kernels = [standing.kernel for standing in found.standings]
        assert kernels == sorted(kernels)
        assert sum(standing.stays for standing in found.standings) == len(kernels) / 2
    assert next(s for s in one.standings if s.trial == 1).stays, "as planned"
    stayed = {standing.trial for standing in one.standings if standing.stays}
    assert {standing.trial for standing in two.standings} == stayed
    assert all(
        e.share <= 1 and e.round <= e.rounds == 2 for e in events if isinstance(e, TrialProgress)
    )
    winner = next(standing for standing in two.standings if standing.stays)
    first = next(event for event in events if isinstance(event, Step))
    assert first.images == winner.images + 4  # what it has learnt is not lost
    assert isinstance(events[-1], Done)
    assert events[-1].images == 400


def test_the_winner_is_what_run_yaml_describes(whole):
    events, out = whole
    study = Study.of(out / "search")
    last = [event for event in events if isinstance(event, RoundFinished)][-1]
    winner = next(standing.trial for standing in last.standings if standing.stays)
    settings = yaml.safe_load((out / "run.yaml").read_text())
    assert settings["training"]["trials"] is None
    for section, changes in study.trials[winner - 1].items():
        assert all(settings[section][name] == value for name, value in changes.items())
    config = checkpoint.newest(out / "checkpoints")[0].metadata.config
    assert config["game"]["lr_g"] == settings["game"]["lr_g"]


def test_a_search_leaves_results_and_images(whole):
    _, out = whole
    names = {path.name for path in (out / "search").iterdir()}
    assert names == {"study.json", "search.png", *(f"trial-{n}.png" for n in (1, 2, 3, 4))}
    assert len(json.loads((out / "search/study.json").read_text())["results"]) == 6
    with Image.open(out / "search/search.png") as image:
        assert len(np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)) > 100


@pytest.mark.parametrize("results", [0, 1, 3, 5])
def test_a_search_that_is_stopped_goes_on_exactly(whole, fifty, tmp_path, results):
    _, expected = whole
    out = tmp_path / "stopped"
    events, before, over = ganvas.train(fifty, out, **SMALL), None, 0
    for event in events:
        if isinstance(event, TrialProgress):
            place = event.round, event.trial
            over += before is not None and place != before
            before = place
            if over == results:
                events.close()
    assert len(Study.of(out / "search").results) == results
    again = searched(fifty, out, resume=True)
    assert any("end of its search" in e.sentence for e in again if isinstance(e, Notice))
    assert same(final(expected), final(out))


def test_a_search_goes_on_without_its_images(whole, fifty, tmp_path):
    """They are only for people, who may delete them."""
    _, expected = whole
    out = tmp_path / "stopped"
    with closing(ganvas.train(fifty, out, **SMALL)) as events:
        for event in events:
            if isinstance(event, TrialProgress) and (event.round, event.trial) == (1, 3):
                break
    images = [*(out / "search").glob("trial-*.png")]
    assert len(images) == 2
    images[0].unlink()
    images[1].write_bytes(b"no image")
    searched(fifty, out, resume=True)
    assert same(final(expected), final(out))
    assert (out / "search" / "search.png").is_file()


def test_ctrl_c_ends_a_search_after_a_step(whole, fifty, tmp_path):
    _, expected = whole
    out, told = tmp_path / "stopped", []

    def interrupted():
        for event in ganvas.train(fifty, out, **SMALL):
            told.append(event)
            if isinstance(event, TrialProgress) and event.trial == 2:
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert told[-1] == Notice("The search is stopped; it goes on with --resume.")
    searched(fifty, out, resume=True)
    assert same(final(expected), final(out))


def test_a_run_killed_between_search_and_first_checkpoint_keeps_its_winner(
    whole, fifty, tmp_path, monkeypatch
):
    _, expected = whole
    out = tmp_path / "killed"
    with monkeypatch.context() as patch:
        patch.setattr(Checkpointer, "save", lambda *_: (_ for _ in ()).throw(OSError("killed")))
        with pytest.raises(OSError, match="killed"):
            searched(fifty, out)
    assert not checkpoint.list_checkpoints(out / "checkpoints")
    again = searched(fifty, out, resume=True)
    assert not [event for event in again if isinstance(event, TrialProgress)]  # nothing runs twice
    assert same(final(expected), final(out))


def test_a_result_that_was_saved_but_not_written_down_is_run_again(
    whole, fifty, tmp_path, monkeypatch
):
    _, expected = whole
    out = tmp_path / "killed"
    written = Study.write

    def killed(study):
        if len(study.results) == 5:
            raise OSError("killed")
        written(study)

    with monkeypatch.context() as patch:
        patch.setattr(Study, "write", killed)
        with pytest.raises(OSError, match="killed"):
            searched(fifty, out)
    searched(fifty, out, resume=True)
    assert same(final(expected), final(out))


def test_resuming_a_run_does_not_search_again(own, fifty):
    events = searched(fifty, own, resume=True, images=440)
    assert not [event for event in events if isinstance(event, TrialProgress | RoundFinished)]
    assert events[-1].images == 440


def test_a_trial_that_diverges_drops_out(fifty, tmp_path, monkeypatch):
    diverging = [{}, {"game": {"lr_g": 1e30, "lr_d": 1e30}}]
    monkeypatch.setattr(searching, "trials", lambda *_: diverging)
    events = searched(fifty, tmp_path / "run", trials=2)
    (found,) = [event for event in events if isinstance(event, RoundFinished)]
    assert [(s.trial, s.stays) for s in found.standings] == [(1, True), (2, False)]
    monkeypatch.setattr(searching, "trials", lambda *_: diverging[1:] * 2)
    with pytest.raises(SearchError, match="lower learning rates"):
        searched(fifty, tmp_path / "none", trials=2)


def test_a_search_that_makes_no_sense_is_refused(fifty, tmp_path):
    with pytest.raises(SearchError, match="asked for by name"):
        searched(fifty, tmp_path / "fixed", lr_g=0.1, r1=0.1)
    options = {name: value for name, value in SMALL.items() if name != "images"}
    with pytest.raises(SearchError, match=r"give --for \d+m or more"):
        list(ganvas.train(fifty, tmp_path / "short", **options, budget="0.1s"))
    for refused in ("fixed", "short"):
        assert not (tmp_path / refused / "run.yaml").exists()


def test_a_damaged_study_says_what_to_do(own, fifty):
    shutil.rmtree(own / "checkpoints")
    (own / "search/study.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"study\.json is damaged; delete"):
        searched(fifty, own, resume=True)


WRONG_STUDIES = {
    "no results": lambda b: b.pop("results"),
    "a result that is none": lambda b: b.update(results=[5]),
    "a result of nobody": lambda b: b["results"][0].update(trial=99),
    "a result twice": lambda b: b["results"].append(b["results"][0]),
    "a round below 0": lambda b: b["results"][0].update(round=-1),
    "a distance as text": lambda b: b["results"][0].update(kernel="1"),
    "images as text": lambda b: b["results"][0].update(images="1"),
    "no trials": lambda b: b.update(trials=[]),
    "a trial of another kind": lambda b: b["trials"].append([]),
    "a setting that there is not": lambda b: b["trials"][1].update(game={"speed": 1.0}),
    "a section that may not differ": lambda b: b["trials"][1].update(data={"size": 8}),
    "a rate as text": lambda b: b["trials"][1].update(game={"lr_g": "fast"}),
    "a rate below 0": lambda b: b["trials"][1].update(game={"lr_g": -1.0}),
    "a huge width": lambda b: b["trials"][1].update(network={"width": 10**9}),
    "settings that are none": lambda b: b.update(settings=[]),
    "settings without a source": lambda b: b["settings"].pop("source"),
    "a model that there is not": lambda b: b["settings"].update(model="none"),
    "time below 0": lambda b: b.update(spent=-1.0),
    "no time": lambda b: b.update(spent=float("nan")),
    "time as text": lambda b: b.update(before="1"),
}


@pytest.mark.parametrize("name", WRONG_STUDIES)
def test_a_study_of_another_form_says_what_to_do(name, whole, tmp_path):
    content = json.loads((whole[1] / "search/study.json").read_text())
    WRONG_STUDIES[name](content)
    (tmp_path / "study.json").write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=r"study\.json is damaged; delete .* \(.+\)\.$"):
        Study.of(tmp_path)


@pytest.mark.parametrize("text", ["[" * 100_000, "null", "5", "[]", "", "\0"])
def test_a_study_that_is_no_json_of_ours_says_what_to_do(text, tmp_path):
    (tmp_path / "study.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"study\.json is damaged; delete"):
        Study.of(tmp_path)


def test_a_study_is_written_as_it_is_read(whole, tmp_path):
    shutil.copytree(whole[1] / "search", tmp_path / "trials")
    path = tmp_path / "trials" / "study.json"
    before = json.loads(path.read_text())
    Study.of(path.parent).write()
    assert json.loads(path.read_text()) == before
    assert [path.name for path in path.parent.glob(".*")] == []


def test_trials_begin_with_the_weights_of_a_start(fifty, tmp_path):
    first = tmp_path / "first"
    list(ganvas.train(fifty, first, **(SMALL | {"trials": None, "images": 40})))
    events = searched(fifty, tmp_path / "second", start=first, images=80)
    (one, _) = [event for event in events if isinstance(event, RoundFinished)]
    assert len(one.standings) == 4
    assert all("width" not in standing.sentence for standing in one.standings)


def test_a_budget_is_kept_though_there_is_a_search(fifty, tmp_path, monkeypatch, ticking):
    ticking(0.02)
    monkeypatch.setattr(DigitsClassifier, "features", lambda _, x: x.flatten(1)[:, :128].float())
    options = {name: value for name, value in SMALL.items() if name not in ("images", "batch")}
    events = list(ganvas.train(fifty, tmp_path / "run", **options, budget="12s"))
    assert isinstance(events[-1], Done)
    rounds = [event for event in events if isinstance(event, RoundFinished)]
    assert len(rounds) == 2
    steps = [event for event in events if isinstance(event, Step)]
    assert steps[0].seconds > 0.1 * 12  # the search counts
    assert steps[-1].seconds < 1.2 * 12
