"""Sweeps: ranges as they are written, pruning, workers that share one, the best that goes on."""

import shutil
from importlib import import_module

import numpy as np
import pytest
from PIL import Image

from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.run_dir import RunDir
from ganvas.events import Done, Notice, Prepared, Step, TrialFinished
from ganvas.runs.branch import branch
from ganvas.sweep import Definition, SweepError, definition, sweep
from ganvas.sweep.space import Range
from ganvas.sweep.study import Study, in_range
from ganvas.training.callbacks.evaluation import EvaluationError

module = import_module("ganvas.sweep.sweep")  # its name in the package is the function's
SMALL = {"size": "16", "width": 4, "latent": 8, "batch": 8, "threads": 1, "doctor": "off"}
SMALL |= {"evaluate_count": 60, "precision": "fp32", "features": "digits"}
FEW = 300  # real images that trials are compared with
BAD = "lr_g=log(1e-7,1e-5)"  # too low to learn anything


def everything(steps):
    """All events of a sweep, and what it returns."""
    found = []
    while True:
        try:
            found.append(next(steps))
        except StopIteration as end:
            return found, end.value


@pytest.mark.parametrize(
    ("text", "kind", "values"),
    [
        ("lr_g=log(1e-3,1e-1)", "log", (1e-3, 0.1)),
        (" lr-d = uniform( 0 , 1 ) ", "uniform", (0.0, 1.0)),
        ("width=int(16,64)", "int", (16, 64)),
        ("augment=choice(shift, none)", "choice", ("shift", "none")),
    ],
)
def test_ranges_are_read_and_written(text, kind, values):
    found = Range.of(text)
    assert (found.kind, found.values) == (kind, values)
    assert Range.of(str(found)) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lr_g", "write SETTING=log"),
        ("lr_g=normal(0,1)", "write SETTING=log"),
        ("lr_x=log(1,2)", "did you mean 'lr-"),
        ("for=uniform(1,2)", "all trials of a sweep have the same --for"),
        ("lr_g=log(0,1)", "numbers above 0"),
        ("lr_g=log(1,1)", "LOW must be below HIGH"),
        ("lr_g=uniform(0,inf)", "both finite"),
        ("lr_g=log(a,b)", "two numbers"),
        ("width=int(1.5,2)", "two whole numbers"),
        ("width=log(16,64)", "whole numbers; take int"),
        ("augment=choice(none)", "2 to 64 different values"),
    ],
)
def test_ranges_that_cannot_be_are_refused_in_one_sentence(text, said):
    with pytest.raises(SweepError, match=said) as found:
        Range.of(text)
    assert "\n" not in str(found.value)


def test_what_is_planned_counts_where_it_lies_in_the_range():
    ranges = (Range.of("lr_g=log(1e-3,1e-1)"), Range.of("augment=choice(none,shift)"))
    assert in_range(ranges, {"lr_g": 0.02, "augment": "none"}) == {"lr_g": 0.02, "augment": "none"}
    assert in_range(ranges, {"lr_g": 0.5, "augment": "colour"}) == {}


@pytest.fixture
def quick(monkeypatch):
    """Trials of some steps, whatever the machine: scores come by the step and not by the clock."""
    monkeypatch.setattr(definition.Definition, "unit", property(lambda self: 0.3))
    monkeypatch.setattr("ganvas.training.callbacks.evaluation.MOST", 1e9)
    monkeypatch.setattr("ganvas.training.callbacks.evaluation.REALS", FEW)


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A sweep with a good first trial and bad ones; its events, and its folder."""
    folder = tmp_path_factory.mktemp("sweep")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(definition.Definition, "unit", property(lambda self: 0.4))
        patch.setattr("ganvas.training.callbacks.evaluation.MOST", 1e9)
        patch.setattr("ganvas.training.callbacks.evaluation.REALS", FEW)
        patch.setattr(module, "_best", lambda study, seconds: iter(()))
        steps = sweep("digits", folder / "s", params=[BAD], trials=5, budget=1e4, given=SMALL)
        events = [event for event in steps if isinstance(event, TrialFinished)]
    return folder / "s", events


def test_every_trial_is_a_run_that_is_scored_and_may_be_pruned(swept):
    folder, events = swept
    assert [event.trial for event in events] == [1, 2, 3, 4, 5]
    assert not any("lr_g" not in event.values for event in events)
    assert any(event.pruned for event in events)
    assert all(event.share < 1 for event in events if event.pruned)
    for number in range(5):
        run = RunDir(folder / "trials" / f"{number:03d}")
        found, _ = checkpoint.newest(run.checkpoints)
        assert found.metadata.config["game"]["lr_g"] == events[number].values["lr_g"]


def test_the_report_names_every_trial_the_best_first(swept):
    folder, events = swept
    rows = (folder / "report.md").read_text().splitlines()
    table = [row for row in rows if row.startswith("| ") and "trials/" in row]
    assert len(table) == 5
    study = Study(folder, Definition.read(folder))
    best = study.ranking()[0]
    assert table[0].startswith(f"| {study.number(best)} |")
    assert best.intermediate_values[max(best.intermediate_values)] == pytest.approx(
        min(event.kernel for event in events if event.share == max(e.share for e in events))
    )
    assert np.asarray(Image.open(folder / "trials.png")).std() > 5


def test_the_best_goes_on_with_what_it_has_learnt(swept, tmp_path):
    folder = tmp_path / "s"
    shutil.copytree(swept[0], folder)
    best = Study(folder, Definition.read(folder)).ranking()[0]
    before, _ = checkpoint.newest(
        RunDir(folder / "trials" / f"{best.user_attrs['run']}").checkpoints
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(definition.Definition, "unit", property(lambda self: 0.4))
        steps = sweep(None, folder)
        while not isinstance(event := next(steps), Notice) or "goes on in" not in event.sentence:
            pass
        while type(event := next(steps)).__name__ != "Step":
            pass
        steps.close()
    assert event.step == before.state.step + 1
    assert (folder / "best" / "run.yaml").exists()


def test_a_sweep_is_joined_by_its_folder_and_nothing_else_is_taken_for_it(swept, tmp_path):
    folder, _ = swept
    with pytest.raises(SweepError, match=r"another sweep \(trials differ\)"):
        everything(sweep("digits", folder, params=[BAD], trials=6, budget=1e4, given=SMALL))
    with pytest.raises(SweepError, match="holds no sweep"):
        next(sweep(None, tmp_path / "none"))
    damaged = tmp_path / "damaged"
    shutil.copytree(folder, damaged)
    (damaged / "study.journal").write_text("nothing\n")
    with pytest.raises(SweepError, match="no journal of a sweep"):
        everything(sweep(None, damaged))
    (damaged / "sweep.yaml").write_text("source: 3\n")
    with pytest.raises(SweepError, match=r"sweep\.yaml is damaged"):
        next(sweep(None, damaged))


def test_the_journal_of_another_study_is_left_alone(tmp_path):
    optuna = pytest.importorskip("optuna")
    backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / "study.journal"))
    optuna.create_study(storage=optuna.storages.JournalStorage(backend), study_name="mine")
    before = (tmp_path / "study.journal").read_bytes()
    with pytest.raises(SweepError, match=r"journal of another study \(mine\)"):
        everything(sweep("digits", tmp_path, params=[BAD], trials=3, budget=1e4, given=SMALL))
    assert (tmp_path / "study.journal").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["study.journal"]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        (["r1=uniform(-30,0.2)"], "greater than or equal to 0"),
        (["width=int(-5,8)"], "width"),
        (["augment=choice(none,foo)"], "foo does not suit"),
        (["lr=log(1e-3,1)"], "game has no setting called 'lr'"),
        (["r1=uniform(0,1)", "r1=uniform(0,2)"], "two ranges are given"),
        (["batch=choice(8,16)"], "also given a value"),
    ],
)
def test_a_range_is_refused_before_anything_is_written(tmp_path, params, said):
    with pytest.raises(SweepError, match=said):
        everything(sweep("digits", tmp_path / "s", params=params, trials=3, given=SMALL))
    assert not (tmp_path / "s").exists()


def test_too_few_images_to_score_with_are_said_so(twelve, tmp_path):
    with pytest.raises(EvaluationError, match="12 usable images, too few to score with"):
        everything(sweep(str(twelve), tmp_path / "s", params=[BAD], trials=3, given=SMALL))
    assert not (tmp_path / "s").exists()


def test_a_sweep_that_has_ended_does_not_train_its_best_again(swept, tmp_path):
    folder = tmp_path / "s"
    shutil.copytree(swept[0], folder)
    study = Study(folder, Definition.read(folder))
    branch(study.run_of(study.ranking()[0]), RunDir(folder / "best"))
    study.goes_on_until(1e-3)
    events, standing = everything(sweep(None, folder))
    assert standing.best == folder / "best"
    assert any("has ended" in event.sentence for event in events if isinstance(event, Notice))
    assert not [event for event in events if isinstance(event, Step)]


def test_the_command_says_where_the_best_is_and_how_a_stopped_sweep_goes_on(
    run, tmp_path, monkeypatch
):
    def ended(source, out, **_):
        yield Prepared("digits", 10, (), False)
        yield Done(3, 24, 1.5, "finished")
        return module.Standing(out / "best", out / "report.md")

    def stopped(source, out, **_):
        yield from ()
        raise KeyboardInterrupt

    command = import_module("ganvas.cli.sweep")
    monkeypatch.setattr(command, "run", ended)
    status, said, _ = run("sweep", "digits", "--out", tmp_path / "s")
    assert status == 0, said
    assert "10 images from digits" in said
    assert said.count("Next:") == 1
    assert f"ganvas sample {tmp_path / 's/best'}" in said
    monkeypatch.setattr(command, "run", stopped)
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "sweep.yaml").touch()
    _, _, errors = run("sweep", "digits", "--out", tmp_path / "s")
    assert f"goes on with: ganvas sweep --out {tmp_path / 's'}" in errors


def test_a_trial_whose_worker_is_lost_goes_on_elsewhere(quick, tmp_path):
    steps = sweep("digits", tmp_path / "s", params=[BAD], trials=2, budget=1e4, given=SMALL)
    while type(next(steps)).__name__ != "TrialProgress":
        pass
    steps.close()  # as a signal would
    lost, _ = checkpoint.newest(RunDir(tmp_path / "s/trials/000").checkpoints)
    steps = sweep(None, tmp_path / "s")
    while not isinstance(event := next(steps), TrialFinished):
        pass
    steps.close()
    assert event.trial == 1, "it keeps its number"
    found, _ = checkpoint.newest(RunDir(tmp_path / "s/trials/000").checkpoints)
    assert found.state.step > lost.state.step
    study = Study(tmp_path / "s", Definition.read(tmp_path / "s"))
    assert [one.user_attrs["run"] for one in study.trials][:1] == ["000"]


def test_two_workers_share_a_sweep(tmp_path, forking):
    script = (
        "import sys; from ganvas.sweep import sweep, definition;"
        "definition.Definition.unit = property(lambda self: 0.3);"
        "import ganvas.training.callbacks.evaluation as e; e.MOST, e.REALS = 1e9, "
        f"{FEW};"
        f"steps = sweep('digits', sys.argv[1], params=['{BAD}'], trials=4, budget=30.0,"
        f" given={SMALL!r});\nfor event in steps: pass"
    )
    workers = [forking.start("-c", script, str(tmp_path / "s")) for _ in range(2)]
    for worker in workers:
        assert worker.wait() == 0, worker.said()
    study = Study(tmp_path / "s", Definition.read(tmp_path / "s"))
    done = [one for one in study.trials if one.state.is_finished()]
    assert 4 <= len(done) <= 5  # two that begin at once may be one too many
    assert len({one.user_attrs["run"] for one in done}) == len(done)
    assert (tmp_path / "s" / "best" / "checkpoints").is_dir()


def test_the_command_says_what_to_do(tmp_path, monkeypatch, run):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ganvas.training.callbacks.evaluation.REALS", FEW)

    def said(*words):
        status, _, errors = run("sweep", *words)
        return status, errors

    status, errors = said("digits", "--param", "lr_x=log(1,2)")
    assert (status, errors.count("\n")) == (1, 1)
    assert "no setting is called" in errors
    status, errors = said("digits", "--for", "never")
    assert (status, "--for" in errors) == (1, True)
    status, errors = said(
        "digits", "--param", BAD, "--for", "20s", "--trials", "50", "--size", "16"
    )
    assert status == 1
    assert "give --for " in errors, errors
    assert not (tmp_path / "sweep").exists()
