"""Several processes that train one run: the same weights, one who decides, and hostile cases."""

import json
import signal
import time
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
import rank
import ranks
from safetensors.torch import load_file

from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.run_dir import RunDir
from ganvas.data.loader import micro_batches
from ganvas.runtime.distributed import REACHED

SCRIPT = rank.__file__
TRAIN = ("-m", "ganvas", "train", "digits", "--size", "16", "-o", "network.width=4")
TRAIN += ("--batch", "16", "--precision", "fp32", "--threads", "1", "--doctor", "off")


@pytest.fixture(autouse=True)
def _none_left():
    yield
    ranks.end_all()


@pytest.fixture(scope="module")
def trained(forking, tmp_path_factory):
    """The weights of every case after some steps, and what was logged, by number of processes."""

    @cache
    def after(steps):
        folder = tmp_path_factory.mktemp("ranks")

        def by(count, *cases):
            out = folder / f"{count}.safetensors"
            words = (SCRIPT, str(out), str(steps), *cases)
            for status, _, errors in ranks.ended(ranks.start(forking, count, *words)):
                assert status == 0, errors
            return load_file(out), json.loads(Path(f"{out}.json").read_text())

        some = ("dcgan", "stylegan, penalties")  # batch normalisation, and groups of images
        return {1: by(1), 2: by(2), 4: by(4, *some)}

    return after


@pytest.mark.parametrize("steps", [4, pytest.param(20, marks=pytest.mark.full)])
@pytest.mark.parametrize(
    ("count", "case"),
    [*((2, case) for case in rank.CASES), (4, "dcgan"), (4, "stylegan, penalties")],
)
def test_several_processes_learn_what_one_would(trained, steps, count, case):
    (alone, said_alone), (together, said) = trained(steps)[1], trained(steps)[count]
    names = [name for name in alone if name.split("|")[0] == case]
    sizes = {name: float(alone[name].double().norm()) for name in names}
    whole = sum(size**2 for size in sizes.values()) ** 0.5
    # The hinge's kinks at so many places: there what a bias has learnt is as small as rounding.
    kinked = "discriminator" in rank.CASES[case].rules
    for name in names:
        difference = float((together[name].double() - alone[name].double()).norm())
        assert difference <= 1e-5 * (whole if kinked else sizes[name]) + 2e-6, name
    assert len(said[case]) == steps
    for step, (here, there) in enumerate(zip(said[case], said_alone[case], strict=True)):
        assert here == pytest.approx(there, rel=1e-2, abs=1e-3), step


def test_each_process_takes_its_own_rows_of_every_micro_batch(monkeypatch):
    assert micro_batches(10, 2) == [slice(0, 5), slice(5, 10)]
    taken = []
    for number in range(3):
        here = rank_of(number, 3)
        monkeypatch.setattr("ganvas.data.loader.rows_of", here)
        monkeypatch.setattr("ganvas.data.loader.sharing", lambda: 3)
        taken += [row for rows in micro_batches(20, 2) for row in range(rows.start, rows.stop)]
    assert sorted(taken) == list(range(20))


def rank_of(number, count):
    return lambda total: slice(total * number // count, total * (number + 1) // count)


@pytest.fixture
def started(forking):
    """Starts processes that train one run."""

    def start(count, out, *arguments, **environment):
        return ranks.start(forking, count, *TRAIN, "--out", str(out), *arguments, **environment)

    return start


def weights(out):
    found, _ = checkpoint.newest(RunDir(Path(out)).checkpoints)
    return found.all_tensors()["model"], found.state


def test_a_run_ends_and_goes_on_with_any_number_of_processes(tmp_path, started):
    alone, two = tmp_path / "alone", tmp_path / "two"
    options = ("--images", "320", "--model", "dcgan")
    for status, _, errors in ranks.ended(started(1, alone, *options)):
        assert status == 0, errors
    first = started(2, two, "--images", "160", "--model", "dcgan", "-o", "game.decay_from=1")
    for status, _, errors in ranks.ended(first):
        assert status == 0, errors
    statuses = ranks.ended(started(4, two, "--images", "320", "--requeue"))
    assert [status for status, _, _ in statuses] == [0] * 4, statuses
    assert "160 of 320 images" in statuses[0][1]
    assert [output for _, output, _ in statuses[1:]] == [""] * 3
    (_, state), (_, other) = weights(alone), weights(two)
    assert (state.step, state.images) == (other.step, other.images) == (20, 320)


def begun(out):
    log = RunDir(out).metrics_log
    return log.exists() and len(log.read_text().splitlines()) > 1


def wait_for(condition, processes):
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "the run does not begin"
        for process in processes:
            assert process.poll() is None, process.said()
        time.sleep(0.05)


@pytest.mark.parametrize("number", [0, 1])
def test_a_signal_to_one_process_saves_and_ends_all_at_the_same_step(number, tmp_path, started):
    processes = started(2, tmp_path / "run", "--images", "1m")
    wait_for(lambda: begun(tmp_path / "run"), processes)
    processes[number].send_signal(signal.SIGTERM)
    ended = ranks.ended(processes)
    statuses = [0, 0]
    statuses[number] = 128 + signal.SIGTERM
    assert [status for status, _, _ in ended] == statuses, ended
    last = json.loads((tmp_path / "run/metrics.jsonl").read_text().splitlines()[-1])
    assert last["event"] == "done"
    assert last["reason"] == "SIGTERM"
    assert weights(tmp_path / "run")[1].step == last["step"]


def test_a_paused_run_keeps_the_others_waiting_and_stops(tmp_path, started, run):
    out = tmp_path / "run"
    processes = started(2, out, "--images", "1m")
    wait_for(lambda: begun(out), processes)

    def steer(*what):
        status, _, errors = run("steer", out, *what)
        assert status == 0, errors

    steer("--pause")
    steps = len(RunDir(out).metrics_log.read_text().splitlines())
    time.sleep(1)
    assert len(RunDir(out).metrics_log.read_text().splitlines()) == steps
    steer("--lr-g", "0.002", "--resume")
    wait_for(lambda: len(RunDir(out).metrics_log.read_text().splitlines()) > steps + 2, processes)
    processes[1].send_signal(signal.SIGTERM)
    ended = ranks.ended(processes)
    assert ended[0][0] == 0, ended
    assert weights(out)[1].live["lr_g"] == 0.002


def test_a_lost_process_ends_the_others_with_one_sentence(tmp_path, started):
    out = tmp_path / "run"
    processes = started(2, out, "--images", "1m", "--save-every", "0.2s")
    wait_for(lambda: checkpoint.list_checkpoints(RunDir(out).checkpoints), processes)
    processes[1].kill()
    (status, _, errors), _ = ranks.ended(processes)
    assert status == 1
    assert errors.count("\n") == 1
    assert "another process of the run has ended" in errors
    further = str(weights(out)[1].images + 320)
    again = ranks.ended(started(2, out, "--images", further, "--requeue"))
    assert [status for status, _, _ in again] == [0, 0], again


def test_processes_that_are_unlike_do_not_begin(tmp_path, forking):
    port = ranks.free_port()
    both = [
        ranks.start(
            forking, 2, *TRAIN, "--images", "320", "--out", str(tmp_path / "run"), *other, port=port
        )
        for other in ((), ("--seed", "7"))
    ]
    both[0][1].kill(), both[1][0].kill()
    processes = [both[0][0], both[1][1]]
    (status, _, errors), (other, _, _) = ranks.ended(processes)
    assert (status, other) == (1, 1)
    assert errors.count("\n") == 1
    assert "training.seed is 7, not None" in errors
    assert not (tmp_path / "run" / "run.yaml").exists()


def test_what_is_wrong_with_a_run_is_said_once(tmp_path, forking):
    (tmp_path / "images").mkdir()
    words = list(TRAIN)
    words[3] = str(tmp_path / "images")
    ended = ranks.ended(
        ranks.start(forking, 2, *words, "--images", "320", "--out", str(tmp_path / "run"))
    )
    assert [status for status, _, _ in ended] == [1, 1]
    assert ended[0][2].count("\n") == 1, ended
    assert "no image" in ended[0][2].lower()


def test_a_batch_too_small_for_the_processes_is_refused(tmp_path, started):
    ended = ranks.ended(started(2, tmp_path / "run", "--images", "320", "--batch", "2"))
    assert [status for status, _, _ in ended] == [1, 1]
    assert "a batch of 2 is too small for 2 processes" in ended[0][2]


def test_a_process_that_is_not_reached_is_waited_for_a_minute_at_most(tmp_path, forking):
    assert timedelta(seconds=10) < REACHED < timedelta(minutes=1)
    hurried = "import ganvas.runtime.distributed as d, datetime, runpy, sys\n"
    hurried += "d.REACHED = datetime.timedelta(seconds=2)\n"
    hurried += "runpy.run_module('ganvas', run_name='__main__', alter_sys=True)"
    words = ("-c", hurried, *TRAIN[2:], "--images", "320", "--out", str(tmp_path / "run"))
    (first,) = ranks.start(forking, 1, *words, WORLD_SIZE="2")
    ((status, _, errors),) = ranks.ended([first])
    assert status == 1
    assert errors.count("\n") == 1
    assert "not all 2 processes of the run could be reached" in errors


def test_a_process_with_other_images_cannot_take_part(tmp_path, twelve, forking):
    port, out = ranks.free_port(), str(tmp_path / "run")
    words = list(TRAIN)
    words[3] = str(twelve)
    pairs = [
        ranks.start(forking, 2, *command, "--images", "320", "--out", out, port=port)
        for command in (TRAIN, words)
    ]
    for unwanted in (pairs[0][1], pairs[1][0]):
        unwanted.kill()
    (status, _, errors), (other, _, _) = ranks.ended([pairs[0][0], pairs[1][1]])
    assert (status, other) == (1, 1)
    assert errors.count("\n") == 1
    assert "process 1 cannot take part: the images in" in errors


def test_the_images_are_prepared_once_for_all_processes_of_a_machine(tmp_path, started):
    cache = tmp_path / "cache"
    ended = ranks.ended(started(3, tmp_path / "run", "--images", "320", GANVAS_CACHE=str(cache)))
    assert [status for status, _, _ in ended] == [0] * 3, ended
    assert len([path for path in (cache / "images").iterdir() if path.is_dir()]) == 1


def test_only_the_first_process_needs_the_directory(tmp_path, started, forking):
    out = tmp_path / "run"
    assert ranks.ended(started(1, out, "--images", "160"))[0][0] == 0
    port = ranks.free_port()
    pairs = [
        ranks.start(
            forking, 2, *TRAIN, "--images", "320", "--requeue", "--out", str(place), port=port
        )
        for place in (out, tmp_path / "elsewhere")
    ]
    for unwanted in (pairs[0][1], pairs[1][0]):
        unwanted.kill()
    ended = ranks.ended([pairs[0][0], pairs[1][1]])
    assert [status for status, _, _ in ended] == [0, 0], ended
    assert "160 of 320 images" in ended[0][1]
    assert not (tmp_path / "elsewhere").exists()
