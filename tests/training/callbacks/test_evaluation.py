"""Scores while a run goes on: what is written, what is kept, and what does not compare."""

from dataclasses import asdict, dataclass, replace

import numpy as np
import pytest
import torch
from PIL import Image

import ganvas
from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.metadata import RunMetadata, ScoredMetadata
from ganvas.evaluation.features import FEATURES, DigitsClassifier
from ganvas.evaluation.metrics import METRICS, kernel_distance
from ganvas.events import Notice, Scored, Step
from ganvas.training.callbacks import curves, log
from ganvas.training.callbacks.checkpoints import (
    Checkpointer,
    best,
    reference_thumbnails,
    scored_of,
)
from ganvas.training.callbacks.evaluation import (
    EvaluationError,
    EvaluationSettings,
    Evaluator,
    Scorer,
    seconds_needed,
)
from ganvas.training.callbacks.log import MetricsLog

SMALL = {"size": 16, "batch": 4, "images": 40, "latent": 8, "width": 4, "evaluate_count": 40}
SCORED = Scored(3, 12, "a network", 40, 60, 0, {"kernel": 0.5})


@dataclass(frozen=True)
class Pixels:
    """A feature network: its features are the pixels."""

    name: str = "pixels"

    def features(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1).float()


@pytest.fixture
def fifty(tmp_path):
    """A folder of fifty images."""
    folder, random = tmp_path / "fifty", np.random.default_rng(0)
    folder.mkdir()
    for number in range(50):
        pixels = random.integers(0, 255, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def run(blobs, small, begin, tmp_path):
    """A state, and an evaluator of it."""
    _, state = begin("fc", small("fc"))
    images = blobs((1, 16, 16))
    shown = images.batch(np.arange(len(images)))
    checkpointer = Checkpointer(
        tmp_path / "checkpoints", 1e9, 3, True, RunMetadata(), reference_thumbnails(shown),
        MetricsLog(tmp_path / "metrics.jsonl", 1),
    )  # fmt: skip
    real = torch.from_numpy(shown).flatten(1).float() / 127.5 - 1
    return state, Evaluator(Scorer(Pixels(), real, 64), 0.0, checkpointer)


def test_a_run_ends_with_a_score_in_metrics_log_and_checkpoint(fifty, tmp_path):
    out = tmp_path / "run"
    events = list(ganvas.train(fifty, out, evaluate_every="1h", features="digits", **SMALL))
    (found,) = [event for event in events if isinstance(event, Scored)]
    assert found.step == max(event.step for event in events if isinstance(event, Step))
    assert set(METRICS) <= set(found.scores)
    assert (found.samples, found.reals) == (40, 50)
    assert found.features == FEATURES["digits"].open().name
    (line,) = [line for line in log.read(out / "metrics.jsonl") if "kernel" in line]
    assert all(line[name] == found.scores[name] for name in METRICS)
    assert (line["features"], line["samples"]) == (found.features, 40)
    kept = checkpoint.newest(out / "checkpoints")[0]
    assert scored_of(kept.metadata) == found


def test_a_network_of_ones_own_is_found_from_anywhere(fifty, tmp_path, scripted, monkeypatch):
    network = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(4), torch.nn.Flatten())
    scripted(tmp_path / "small.pt", network)
    monkeypatch.chdir(tmp_path)
    events = list(ganvas.train(fifty, "run", evaluate_every="1h", features="small.pt", **SMALL))
    (found,) = [event for event in events if isinstance(event, Scored)]
    assert found.features.startswith("small.pt")
    monkeypatch.chdir(fifty)
    again = list(ganvas.train(out=tmp_path / "run", resume=True, images=48))
    assert [event.features for event in again if isinstance(event, Scored)] == [found.features]


def test_looking_changes_nothing(fifty, tmp_path):
    list(ganvas.train(fifty, tmp_path / "a", **SMALL))
    list(ganvas.train(fifty, tmp_path / "b", evaluate_every="1h", features="digits", **SMALL))
    one, other = (checkpoint.newest(tmp_path / n / "checkpoints")[0].all_tensors() for n in "ab")
    for name, tensors in one.items():
        assert all(torch.equal(t, other[name][key]) for key, t in tensors.items())


def test_a_run_that_is_resumed_says_its_last_score_once(fifty, tmp_path):
    out = tmp_path / "run"
    for resume in (False, True):
        list(
            ganvas.train(fifty, out, resume=resume, evaluate_every="1h", features="digits", **SMALL)
        )
    scored = [line for line in log.read(out / "metrics.jsonl") if "kernel" in line]
    assert len(scored) == 1


def test_an_interrupted_run_is_not_scored(fifty, tmp_path):
    events = ganvas.train(fifty, tmp_path / "run", evaluate_every="1h", features="digits", **SMALL)
    for event in events:
        if isinstance(event, Step):
            events.close()
    found = checkpoint.newest(tmp_path / "run" / "checkpoints")[0]
    assert found.metadata.scored is None


def test_a_score_is_that_of_the_same_images_by_hand(run):
    state, evaluator = run
    scored, saved = evaluator.evaluate(state)
    assert list(evaluator.evaluate(state)) == []  # this moment has been scored
    fake = evaluator.scorer.features(state, 64)
    by_hand = kernel_distance(evaluator.scorer.real, fake)
    assert scored.scores["kernel"] == pytest.approx(by_hand.relative)
    assert scored_of(checkpoint.read(saved.path).metadata) == scored


def test_it_scores_when_it_is_time(run):
    state, evaluator = run
    step = Step(1, 4, 0.0, 0.1)
    assert [type(event).__name__ for event in evaluator.watch(state, step)] == ["Scored", "Saved"]
    state.step, evaluator.every = 2, 1e9
    assert list(evaluator.watch(state, step)) == []


def test_what_is_not_finite_has_no_score(run):
    state, evaluator = run
    next(state.average.parameters()).data.fill_(float("nan"))
    (notice,) = evaluator.evaluate(state)
    assert isinstance(notice, Notice)
    assert "not finite" in notice.sentence
    assert best(evaluator.checkpointer.folder) is None


def test_the_best_is_told_where_it_is_not_the_newest(run):
    state, evaluator = run
    worst = replace(SCORED, scores={"kernel": 9.0})
    for step, scored in enumerate((SCORED, worst)):
        state.step = step
        evaluator.checkpointer.save(state, scored)
    (notice,) = evaluator.report_best()
    assert "0.5 after 12 images" in notice.sentence
    assert "step-000000000" in notice.sentence
    state.step = 2
    evaluator.checkpointer.save(state, replace(SCORED, scores={"kernel": 0.1}))
    assert list(evaluator.report_best()) == []


def _kept(folder, *facts):
    for step, of in enumerate(facts):
        checkpoint.write(folder / f"step-{step}", {}, RunMetadata(**of))
    found = best(folder)
    return found and int(found.name.removeprefix("step-"))


def _fact(kernel, **changes):
    scored = asdict(replace(SCORED, scores={"kernel": kernel}, **changes))
    return {"score": 1.0, "scored": ScoredMetadata(**scored)}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([], None),
        ([{"score": 5.0}, {"score": 1.0}, {"score": 4.0}], 1),
        ([{"score": 0.0}, _fact(0.5), _fact(0.7)], 1),  # thumbnails do not count beside a network
        ([_fact(0.1, features="another"), _fact(0.5), _fact(0.3)], 2),
        ([_fact(0.3), _fact(0.5), _fact(0.9, features="another")], 2),  # the newest decides
        ([_fact(0.1, samples=2000), _fact(0.5)], 1),
        ([_fact(0.1, reals=2000), _fact(0.5)], 1),
    ],
)
def test_the_best_is_chosen_among_scores_that_compare(facts, expected, tmp_path):
    assert _kept(tmp_path, *facts) == expected


def test_a_damaged_checkpoint_is_not_the_best(tmp_path):
    assert _kept(tmp_path, {"score": 1.0}, {"score": 5.0}) == 0
    (tmp_path / "step-0" / "metadata.json").write_text("{}")
    assert best(tmp_path) == tmp_path / "step-1"


def test_too_few_images_are_refused_before_anything_is_written(images, tmp_path):
    with pytest.raises(EvaluationError, match="12 usable images"):
        list(ganvas.train(images, tmp_path / "run", evaluate_every="1h", **SMALL))
    assert not (tmp_path / "run" / "run.yaml").exists()


def test_scores_that_leave_no_time_are_refused(run, ticking):
    ticking(0.1)
    state, evaluator = run
    with pytest.raises(EvaluationError, match="take --evaluate-every 1s or more"):
        seconds_needed(evaluator.scorer, state, 1e-6, None)
    with pytest.raises(EvaluationError, match="a smaller --evaluate-count"):
        seconds_needed(evaluator.scorer, state, 3600, 1e-6)


def test_time_is_kept_for_every_score(run, ticking):
    ticking(0.1)
    state, evaluator = run
    one = seconds_needed(evaluator.scorer, state, 3600, None)
    assert one > 0
    ten = seconds_needed(evaluator.scorer, state, 3600, 9.5 * 3600)
    assert ten == pytest.approx(10 * one)


def test_curves_leave_out_what_does_not_compare():
    told = {"images": 1, "samples": 40, "reals": 60}
    lines = [{"images": 0, "loss_d": 1.0}, told | {"features": "a"}, told | {"features": "b"}]
    assert curves._comparable(lines) == [lines[0], lines[2]]
    assert curves._comparable(lines[:1]) == lines[:1]


def test_the_scorer_looks_at_real_images_once(fifty, returned, monkeypatch):
    from ganvas.data import DataSettings, prepare

    found = returned(prepare(str(fifty), DataSettings(size="16")))
    settings = EvaluationSettings(features="digits")
    first = returned(Scorer.of(settings, found))
    monkeypatch.setattr(DigitsClassifier, "features", lambda *_: pytest.fail("looked again"))
    assert torch.equal(returned(Scorer.of(settings, found)).real, first.real)
