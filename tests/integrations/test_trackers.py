"""Trackers are told what a run's own files say, once, and are read back by their own readers."""

import json
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace

import pytest

import ganvas
from ganvas.checkpoints.run_dir import RunDir
from ganvas.events import Notice, Step
from ganvas.integrations.trackers import TRACKERS, TrackerError, tracked
from ganvas.registry import UnknownNameError
from ganvas.training.callbacks.log import read

SMALL = {"size": 16, "batch": 4, "images": 40, "latent": 8, "width": 4, "samples": 5, "seed": 1}
FLAGS = ("--size", "16", "--width", "4", "--batch", "4", "--images", "8")
module = import_module("ganvas.integrations.trackers.tracked")


class Recorder:
    """A tracker that keeps what it is told."""

    def __init__(self):
        self.id = "a run"
        self.told, self.closed, self.known = [], [], []

    def settings(self, settings):
        self.told.append(("settings", settings))

    def scalars(self, step, values):
        self.told.append(("scalars", step, values))

    def samples(self, step, sheet):
        self.told.append(("samples", step, sheet.name))

    def finding(self, step, sentence):
        self.told.append(("finding", step, sentence))

    def close(self, finished):
        self.closed.append(finished)

    def kinds(self):
        return [one[0] for one in self.told]


@pytest.fixture
def recorder(monkeypatch):
    made = Recorder()

    def opened(run, known, step):
        made.known.append((known, step))
        return made

    monkeypatch.setattr(module, "find_spec", lambda package: package)
    monkeypatch.setattr(module, "import_module", lambda name: SimpleNamespace(opened=opened))
    return made


def train(source, out, names=("mlflow",), **options):
    return tracked(ganvas.train(source, out, **options), out, names)


def test_everything_that_the_log_says_is_told_once(images, tmp_path, recorder):
    run = RunDir(tmp_path / "run")
    assert [*train(images, run.path, **SMALL)]
    lines = read(run.metrics_log)
    points = [line for line in lines if "event" not in line]
    told = [one for one in recorder.told if one[0] == "scalars"]
    assert [one[1] for one in told] == [line["step"] for line in points]
    assert told[0][2]["loss_d"] == points[0]["loss_d"]
    assert told[-1][2]["images"] == 40
    sheets = [one[2] for one in recorder.told if one[0] == "samples"]
    assert sheets == sorted(line["file"] for line in lines if line.get("event") == "sample")
    assert recorder.kinds().count("settings") == 1
    assert dict(recorder.told[0][1])["game.lr_g"] == 0.02
    assert recorder.closed == [True]


def test_findings_and_commands_are_told_in_words(tmp_path, copy_of_run, recorder):
    run = RunDir(copy_of_run(tmp_path / "run", *FLAGS))
    lines = [
        {"event": "diagnosis", "issue": "collapse", "sentence": "All are one."},
        {"event": "treatment", "issue": "collapse", "sentence": "Slower."},
        {"event": "follow-up", "issue": "collapse", "helped": True},
        {"event": "command", "command": "set", "setting": "lr_g", "value": 0.01},
        {"event": "diagnosis", "issue": "bell", "sentence": float("nan")},
    ]
    with run.metrics_log.open("a") as log:
        for line in lines:
            log.write(json.dumps({"step": 99} | line) + "\n")
    assert module._Told(run, "mlflow", TRACKERS["mlflow"]).look(run) is None
    found = [one for one in recorder.told if one[0] == "finding"]
    assert [one[1] for one in found] == [99] * len(found)
    assert [one[2] for one in found[:4]] == [
        "diagnosis, collapse: All are one.",
        "treatment, collapse: Slower.",
        "follow-up, collapse: it helped.",
        "command, set: {'setting': 'lr_g', 'value': 0.01}",
    ]


def test_a_resumed_run_goes_on_in_the_tracker(images, tmp_path, recorder):
    out = tmp_path / "run"
    events = train(images, out, **SMALL)
    next(event for event in events if isinstance(event, Step) and event.step == 4)
    events.close()
    assert recorder.closed == [False]
    before = [one[1] for one in recorder.told if one[0] == "scalars"]
    assert max(before) == 4
    assert [*train(None, out, resume=True)]
    steps = [one[1] for one in recorder.told if one[0] == "scalars"]
    points = [line["step"] for line in read(RunDir(out).metrics_log) if "event" not in line]
    assert steps == points, "each line once"
    assert set(steps) == set(range(1, 11))
    assert recorder.known == [(None, -1), ("a run", 4)]
    assert recorder.kinds().count("settings") == 1
    assert recorder.closed == [False, True]


@pytest.mark.parametrize("method", ["settings", "scalars", "samples", "close"])
def test_a_tracker_that_fails_ends_no_run(images, tmp_path, recorder, monkeypatch, method):
    def fail(*arguments):
        raise ConnectionError("no network")

    monkeypatch.setattr(recorder, method, fail)
    events = [*train(images, tmp_path / "run", **SMALL)]
    assert events[-1].reason == "finished"
    said = [event.sentence for event in events if isinstance(event, Notice)]
    wanted = [] if method == "close" else ["mlflow cannot be told of the run"]
    assert [sentence for sentence in said if "cannot be told" in sentence] == [
        sentence for sentence in said if any(part in sentence for part in wanted)
    ]
    assert sum("no network" in sentence for sentence in said) == len(wanted)


def test_a_damaged_memory_is_forgotten(images, tmp_path, recorder):
    out = tmp_path / "run"
    [*train(images, out, **SMALL)]
    for damage in (b"", b"{", b"[]", b'{"mlflow": 5}', b"\xff"):
        (out / "trackers.json").write_bytes(damage)
        [*train(None, out, resume=True)]
    assert json.loads((out / "trackers.json").read_text())["mlflow"]["id"] == "a run"


def test_unknown_and_missing_trackers_are_said_before_training(images, tmp_path, monkeypatch):
    with pytest.raises(UnknownNameError, match="did you mean 'mlflow'"):
        train(images, tmp_path / "run", ("mlfow",))
    monkeypatch.setattr(module, "find_spec", lambda package: None)
    with pytest.raises(TrackerError, match=r"pip install 'ganvas\[wandb\]'"):
        train(images, tmp_path / "run", ("wandb",))
    assert not (tmp_path / "run").exists()


def test_in_a_terminal(run, twelve, tmp_path, recorder):
    flags = [word for name, value in SMALL.items() for word in (f"--{name}", value)]
    status, _, _ = run("train", twelve, "--out", tmp_path / "run", "--track", "mlflow", *flags)
    assert status == 0
    assert recorder.closed == [True]
    status, _, said = run("train", twelve, "--out", tmp_path / "two", "--track", "nothing", *flags)
    assert status == 1
    assert "no tracker is called 'nothing'" in said


@pytest.fixture
def finished(images, tmp_path, request):
    """A run that has reported to the tracker of this name."""

    def made(name):
        package = TRACKERS[name].package
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed: make test-trackers")
        out = tmp_path / "run"
        events = [*train(images, out, (name,), **SMALL)]
        faults = [e.sentence for e in events if isinstance(e, Notice) and "told of" in e.sentence]
        assert faults == []
        points = [line for line in read(RunDir(out).metrics_log) if "loss_d" in line]
        return RunDir(out), points

    return made


@pytest.mark.filterwarnings("ignore")
def test_tensorboard_reads_it(finished):
    run, points = finished("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(run.path / "tensorboard"), {"tensors": 0, "images": 0})
    found.Reload()
    losses = found.Scalars("losses/loss_d")
    assert [one.step for one in losses] == [line["step"] for line in points]
    assert losses[-1].value == pytest.approx(points[-1]["loss_d"], rel=1e-5)
    assert len(found.Images("samples")) >= 5
    assert "_hparams_/session_start_info" in found.summary_metadata


@pytest.mark.filterwarnings("ignore")  # of the libraries that it is made of
def test_mlflow_reads_it(finished, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.chdir(tmp_path)
    run, points = finished("mlflow")
    from mlflow.tracking import MlflowClient

    client = MlflowClient()
    (experiment,) = (one for one in client.search_experiments() if one.name == "ganvas")
    (found,) = client.search_runs([experiment.experiment_id])
    history = client.get_metric_history(found.info.run_id, "loss_d")
    assert sorted((m.step, m.value) for m in history) == [
        (line["step"], line["loss_d"]) for line in points
    ]
    assert found.data.params["game.lr_g"] == "0.02"
    assert found.info.status == "FINISHED"
    sheets = client.list_artifacts(found.info.run_id, "samples")
    assert len(sheets) == len([*run.samples.iterdir()])


@pytest.mark.filterwarnings("ignore")
def test_wandb_reads_it(finished, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    run, points = finished("wandb")
    from wandb.proto import wandb_internal_pb2

    (file,) = run.path.glob("wandb/offline-run-*/*.wandb")
    losses = []
    for data in records(file.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        items = {item.key or item.nested_key[0]: item.value_json for item in record.history.item}
        if "loss_d" in items:
            losses.append(float(items["loss_d"]))
    assert losses == [line["loss_d"] for line in points]


def records(data, block=2**15, head=7):
    """The records of a log in the form of LevelDB: blocks of parts, each with a checksum of 4
    bytes, a length of 2 and a kind of 1 (whole, first, middle, last)."""
    at, whole = head, b""
    while at + head <= len(data):
        left = block - at % block
        length, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        if left < head or kind == 0:
            at += left
            continue
        whole += data[at + head : at + head + length]
        at += head + length
        if kind in (1, 4):
            yield whole
            whole = b""
