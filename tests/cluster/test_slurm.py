"""Jobs that `ganvas launch slurm` writes, executed by a Slurm."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ranks import said, wait_for

from ganvas.checkpoints.run_dir import RunDir

pytestmark = pytest.mark.cluster
SMALL = ["digits", "--size", "16", "-o", "network.width=4", "--batch", "16", "--threads", "1"]


def launch(folder, environment, *options, images):
    command = [sys.executable, "-m", "ganvas", "launch", "slurm", "--processes", "2", "--submit"]
    words = [*command, *options, "--", "train", *SMALL, "--images", images, "--out", "run"]
    done = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, env=environment, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]  # Submitted batch job 1


def state(job, environment):
    return said("scontrol", "show", "job", job, **environment).partition("JobState=")[2].split()[0]


def events(out):
    log = RunDir(Path(out)).metrics_log
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def test_two_tasks_train_one_run_that_a_signal_saves_and_a_requeue_ends(
    slurm, tmp_path, monkeypatch
):
    for name, value in slurm.items():
        monkeypatch.setenv(name, value)
    job = launch(tmp_path, None, "--time", "1h", images="12000")
    wait_for(lambda: len(events(tmp_path / "run")) > 4, what="the first step")
    said("scancel", "--signal=TERM", job, **slurm)
    wait_for(
        lambda: any(e.get("event") == "done" for e in events(tmp_path / "run")), what="the end"
    )
    ended = [event for event in events(tmp_path / "run") if event.get("event") == "done"]
    assert ended[0]["reason"] == "SIGTERM"
    # It has handed itself in again. Slurm waits two minutes before it lets such a job begin.
    wait_for(lambda: state(job, slurm) == "PENDING", what="the requeue")
    time.sleep(3)  # before that the node still knows it as revoked
    said("scontrol", "update", f"JobId={job}", "StartTime=now", **slurm)
    wait_for(lambda: state(job, slurm) == "COMPLETED", what="the end after the requeue")
    log = (tmp_path / f"ganvas-{job}.log").read_text()
    assert "2 processes train this run together." in log
    assert f"The run goes on after step {ended[0]['step']:,}" in log
    last = events(tmp_path / "run")[-1]
    assert (last["event"], last["reason"]) == ("done", "finished")
    assert "Finished after 12,000 images" in log
