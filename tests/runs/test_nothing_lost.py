"""Whatever ends a run, and whatever became of its files meanwhile: it is saved, and goes on."""

import errno
import json
import os
import resource
import shutil
import signal
import warnings
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import ganvas
from ganvas.checkpoints import checkpoint
from ganvas.config import Request, resolve
from ganvas.config import yaml as run_yaml
from ganvas.config.resolve import NOMINAL
from ganvas.errors import GanvasError
from ganvas.events import Done, Notice, Step
from ganvas.imaging import is_generated
from ganvas.runs.resume import RunError
from ganvas.runtime import signals as interrupts
from ganvas.runtime.signals import held_back
from ganvas.runtime.system import PlaceError
from ganvas.training.callbacks.log import MetricsLog

SMALL = {"size": 16, "batch": 4, "images": 40, "latent": 8, "width": 4, "samples": 4}
FLAGS = [word for name, value in SMALL.items() for word in (f"--{name}", value)]


def settled(content):
    """The configuration of such a run.yaml."""
    return resolve(Request.of(content), NOMINAL, 10)


def finished(source, out, **options):
    return list(ganvas.train(source, out, **(SMALL | options)))


def notices(events):
    return [event.sentence for event in events if isinstance(event, Notice)]


def saved_step(out):
    return checkpoint.newest(out / "checkpoints")[0].state.step


SCRIPT = """
import sys, ganvas
events = ganvas.train({source!r}, out={out!r}, size=16, batch=4, latent=8, width=4, images=4000,
                      threads=1)
for event in events:
    if type(event).__name__ == "Step" and event.step == 20:
        {ending}
"""


@pytest.mark.parametrize(
    ("ending", "status"),
    [("break", 0), ("sys.exit(3)", 3), ("raise RuntimeError('mine')", 1), ("1 / 0", 1)],
)
def test_whoever_stops_iterating_for_whatever_reason_leaves_a_saved_run(
    ending, status, images, tmp_path, forking
):
    out = tmp_path / "run"
    code = SCRIPT.format(source=str(images), out=str(out), ending=ending)
    done = forking.run("-c", code)
    assert done.returncode == status, done.stderr
    assert saved_step(out) == 20
    assert (out / "losses.png").exists()


def test_throwing_into_a_run_saves_it_where_its_places_fail(images, tmp_path, monkeypatch):
    out = tmp_path / "run"
    append = MetricsLog.append

    def full(self, line):
        if line.get("step", 0) >= 6:
            raise PlaceError("metrics.jsonl cannot be used: the disk is full.")
        append(self, line)

    monkeypatch.setattr(MetricsLog, "append", full)
    monkeypatch.setattr(
        "ganvas.training.callbacks.checkpoints.Checkpointer.every", 1e9, raising=False
    )
    with pytest.raises(PlaceError, match="the disk is full"):
        finished(images, out)
    assert saved_step(out) == 6


@pytest.mark.parametrize("thrown", [GeneratorExit, KeyboardInterrupt, ValueError, SystemExit])
def test_whatever_is_thrown_into_a_run_it_is_saved(thrown, images, tmp_path):
    events = ganvas.train(images, tmp_path / "run", **SMALL)
    for event in events:
        if isinstance(event, Step) and event.step == 6:
            with pytest.raises(thrown):
                events.throw(thrown("mine"))
    assert saved_step(tmp_path / "run") == 6


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_signals_that_come_twice_for_one_reason_are_one():
    for number in (signal.SIGTERM, signal.SIGHUP):
        with held_back() as received:
            os.kill(os.getpid(), number)
            os.kill(os.getpid(), number)
            assert received.received == number
    with held_back() as received:
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("number", interrupts.HELD)
def test_what_the_process_ignores_stays_ignored(number):
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with held_back() as received:
            os.kill(os.getpid(), number)
            assert received.received is None
        assert signal.getsignal(number) == signal.SIG_IGN
    finally:
        signal.signal(number, before)


@pytest.mark.skipif(os.name == "nt", reason="POSIX limits")
@pytest.mark.parametrize("room", [0, 100, 600])
def test_a_full_disk_leaves_every_file_as_it_was(room, copy_of_run, tmp_path):
    """A limit on the size of files stands for a full disk or quota; then there is room again."""
    out = tmp_path / "run"
    copy_of_run(out, *FLAGS)
    kept = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, unlimited[1]))
    try:
        with pytest.raises(GanvasError) as caught:
            list(ganvas.train(None, out, resume=True, images=60))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert "full" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert {path: path.read_bytes() for path in kept} == kept
    assert [path for path in out.rglob("*") if path.is_file() and path not in kept] == []
    events = list(ganvas.train(None, out, resume=True, images=60))
    assert isinstance(events[-1], Done)
    assert events[-1].images == 60


def cut(path: Path, share: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.8, 0.98])
def test_half_a_run_file_is_never_completed_by_defaults(share, copy_of_run, tmp_path):
    out = tmp_path / "run"
    copy_of_run(out, *FLAGS, "--lr-g", 0.003)
    before = run_yaml.read_whole(out / "run.yaml")
    cut(out / "run.yaml", share)
    with pytest.raises(GanvasError):
        run_yaml.read_whole(out / "run.yaml")
    events = list(ganvas.train(None, out, resume=True, images=60))
    assert any("The settings that step-" in said for said in notices(events))
    after = run_yaml.read_whole(out / "run.yaml")
    assert after["training"].pop("images") == 60
    del before["training"]["images"]
    assert after == before


def test_a_run_file_that_is_gone_is_written_again(copy_of_run, tmp_path):
    out = tmp_path / "run"
    copy_of_run(out, *FLAGS)
    before = run_yaml.read_whole(out / "run.yaml")
    (out / "run.yaml").unlink()
    list(ganvas.train(None, out, resume=True))
    assert run_yaml.read_whole(out / "run.yaml") == before


def test_a_damaged_run_file_beside_an_old_checkpoint_is_refused(copy_of_run, tmp_path, monkeypatch):
    out = tmp_path / "run"
    copy_of_run(out, *FLAGS)
    cut(out / "run.yaml", 0.5)
    metadata = checkpoint.newest(out / "checkpoints")[0].metadata
    metadata = replace(metadata, config={"game": metadata.config["game"]})
    for folder in checkpoint.list_checkpoints(out / "checkpoints"):
        tensors = checkpoint.read(folder).all_tensors()
        checkpoint.write(folder, tensors, metadata)
    with pytest.raises(RunError, match=r"run\.yaml .* Put it right by hand"):
        list(ganvas.train(None, out, resume=True))


def test_a_run_file_of_older_ganvas_is_whole_without_marks(tmp_path):
    settings = settled({"source": "digits", "model": "fc"})
    run_yaml.write(tmp_path / "run.yaml", settings)
    lines = (tmp_path / "run.yaml").read_text().splitlines()
    old = [line for line in lines if line not in (run_yaml.START, run_yaml.END)]
    doctor = old.index("doctor:")
    for kept in (old, old[:doctor]):  # the doctor came later
        (tmp_path / "old.yaml").write_text("\n".join(kept) + "\n")
        assert settled(run_yaml.read_whole(tmp_path / "old.yaml")) == settings
    for short in (old[: doctor - 1], old[: doctor - 9], old[:20], lines[:-1], lines[:-5]):
        (tmp_path / "old.yaml").write_text("\n".join(short) + "\n")
        with pytest.raises(GanvasError, match="is not complete"):
            run_yaml.read_whole(tmp_path / "old.yaml")


def test_images_that_were_moved_are_the_same(images, tmp_path):
    whole = finished(images, tmp_path / "whole", images=60)
    finished(images, tmp_path / "run")
    moved = images.rename(tmp_path / "moved")
    with pytest.raises(RunError, match=r"are not in .*images any more; .*--resume"):
        list(ganvas.train(None, tmp_path / "run", resume=True, images=60))
    events = list(ganvas.train(moved, tmp_path / "run", resume=True, images=60))
    assert any("source" in said and "moved" in said for said in notices(events))
    assert not any("have changed" in said for said in notices(events))
    found, expected = (
        checkpoint.newest(tmp_path / name / "checkpoints")[0].all_tensors()["average"]
        for name in ("run", "whole")
    )
    assert all(torch.equal(tensor, expected[name]) for name, tensor in found.items())
    assert isinstance(whole[-1], Done)
    assert run_yaml.read(tmp_path / "run" / "run.yaml")["source"] == str(moved)


def test_other_images_are_refused(copy_of_run, tmp_path):
    copy_of_run(tmp_path / "run", *FLAGS)
    other = tmp_path / "other"
    other.mkdir()
    Image.new("RGB", (30, 30), "red").save(other / "0.png")
    with pytest.raises(RunError, match="are not those that this run has learnt from"):
        list(ganvas.train(other, tmp_path / "run", resume=True, images=60))


def test_a_run_that_was_moved_goes_on(copy_of_run, tmp_path):
    copy_of_run(tmp_path / "run", *FLAGS)
    (tmp_path / "run").rename(tmp_path / "elsewhere")
    events = list(ganvas.train(None, tmp_path / "elsewhere", resume=True, images=60))
    assert events[-1].images == 60


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_without_locks_a_run_says_so_and_goes_on(number, images, tmp_path, monkeypatch):
    def no_locks(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("ganvas.runtime.locking._lock", no_locks)
    events = finished(images, tmp_path / "run")
    assert "knows no locks" in notices(events)[0]
    assert isinstance(events[-1], Done)


def test_a_run_called_like_what_comes_with_ganvas(images, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images.rename(tmp_path / "emoji")
    events = finished("emoji", "digits")
    assert events[-1].images == 40
    assert run_yaml.read(Path("digits/run.yaml"))["source"] == str(tmp_path / "emoji")
    assert ganvas.load("digits").sample(1).shape == (1, 3, 16, 16)
    assert ganvas.load("builtin:digits").sample(1).shape == (1, 1, 32, 32)
    start = finished("emoji", "next", start="digits", latent=8)
    assert any(str(tmp_path / "digits") in said for said in notices(start))


def test_the_built_in_set_stays_what_a_run_has_learnt_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = {"model": "fc", "size": 8, "width": 16, "batch": 32, "images": 64}
    list(ganvas.train("digits", "run", **options))
    (tmp_path / "digits").mkdir()
    Image.new("RGB", (30, 30), "red").save(tmp_path / "digits" / "0.png")
    events = list(ganvas.train(None, "run", resume=True, images=128))
    assert notices(events) == [
        "Changed since the run began: training.images 64 -> 128.",
        "The run goes on after step 2, 64 of 128 images.",
    ]
    again = list(ganvas.train("builtin:digits", "run", resume=True, images=160))
    assert again[-1].images == 160


def test_everything_that_a_run_draws_carries_the_mark(images, tmp_path):
    finished(images, tmp_path / "run", probe_every=16)
    drawn = [p for p in (tmp_path / "run").rglob("*") if p.suffix in (".png", ".gif")]
    assert len(drawn) > 3
    assert all(is_generated(path.read_bytes()) for path in drawn)


@pytest.mark.parametrize("count", [1, 2, 3, 19, 20, 99, 100])
def test_any_number_of_images_can_be_learnt_from(count, tmp_path):
    folder = tmp_path / "few"
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(count):
        pixels = np.zeros((16, 16, 3), np.uint8)
        pixels[:] = random.integers(0, 255, 3)
        pixels[4:10, number % 9 : number % 9 + 6] = random.integers(0, 255, 3)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    for options in ({"doctor": "treat"}, {"doctor": "advise", "mirror": True}):
        out = tmp_path / str(options["doctor"])
        events = finished(folder, out, model="fc", probe_every=16, images=140, **options)
        assert isinstance(events[-1], Done)
        assert sum(isinstance(event, Step) for event in events) == 35
    told = json.loads((out / "images.json").read_text())
    assert told["usable"] == count


@pytest.mark.skipif(os.name == "nt", reason="pipes with names")
def test_a_pipe_in_the_place_of_a_file_is_no_file(images, tmp_path):
    """Whoever opens one to read waits for ever."""
    whole = tmp_path / "whole"
    finished(images, whole, model="fc", samples=1)
    places = [path.relative_to(whole) for path in whole.rglob("*") if path.is_file()]
    assert len(places) > 8
    for number, place in enumerate(places):
        run = tmp_path / f"run{number}"
        shutil.copytree(whole, run)
        (run / place).unlink()
        os.mkfifo(run / place)
        for work in (
            lambda run=run: ganvas.load(run),
            lambda run=run: list(ganvas.train(None, run, resume=True, images=44)),
        ):
            with suppress(GanvasError), warnings.catch_warnings(action="ignore"):
                work()


SUSPENDED = """
import os, signal, sys, time, threading, ganvas
events = ganvas.train({source!r}, out={out!r}, size=16, batch=4, latent=8, width=4, images=4000,
                      threads=1)
for event in events:
    if type(event).__name__ == "Step" and event.step == 20:
        break
{then}
os.kill(os.getpid(), signal.{signal})
time.sleep(5)
print("still alive")
"""


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
@pytest.mark.parametrize(
    "then", ["", "t = threading.Thread(target=events.close); t.start(); t.join()"]
)
def test_signals_end_whoever_has_stopped_iterating(name, then, images, tmp_path, forking):
    code = SUSPENDED.format(source=str(images), out=str(tmp_path / "run"), then=then, signal=name)
    done = forking.run("-c", code)
    assert done.stdout == ""
    assert done.returncode in (-getattr(signal, name), 128 + getattr(signal, name), 1)
    assert saved_step(tmp_path / "run") == 20


def test_a_watcher_that_fails_loses_nothing(images, tmp_path, monkeypatch):
    from ganvas.training.callbacks.samples import SampleWriter

    def fails(self, state, step):
        if step.step == 6:
            raise MemoryError("mine")
        yield from ()

    monkeypatch.setattr(SampleWriter, "watch", fails)
    with pytest.raises(MemoryError):
        finished(images, tmp_path / "run")
    assert saved_step(tmp_path / "run") == 6


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_half_a_file_is_no_description_of_a_run_either(share, tmp_path):
    run_yaml.write(tmp_path / "run.yaml", settled({"source": "digits"}))
    cut(tmp_path / "run.yaml", share)
    with pytest.raises(GanvasError):
        settled(run_yaml.read(tmp_path / "run.yaml"))
