"""A run over two machines, one of which loses its process and gets it back."""

import json
import os
import signal
import subprocess
import sys

import psutil
import pytest
import ranks
from ranks import wait_for

from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.run_dir import RunDir

pytestmark = pytest.mark.cluster
SMALL = ["digits", "--size", "16", "-o", "network.width=4", "--batch", "16", "--threads", "1"]
SMALL += ["--precision", "fp32", "--save-every", "1s", "--evaluate-every", "1h"]


def job_of(folder, images):
    words = ["launch", "torchrun", "--nodes", "2", "--processes", "1", "--", "train", *SMALL]
    command = [sys.executable, "-m", "ganvas", *words, "--images", images, "--out", "run"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    return folder / "torchrun.sh"


def started(job, machines, folder):
    head = machines[0][1]
    found = []
    for node, (name, address, link) in enumerate(machines):
        own = {"HEAD": head, "NODE": str(node), "ADDRESS": address, "GLOO_SOCKET_IFNAME": link}
        with open(folder / f"node{node}.log", "w") as log:
            found.append(
                subprocess.Popen(
                    ["ip", "netns", "exec", name, "sh", str(job)],
                    env=os.environ | own,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            )
    return found


def worker_of(launcher):
    """The process that trains, below the launcher of one machine."""
    for child in psutil.Process(launcher.pid).children(recursive=True):
        if "ganvas" in child.cmdline() and "torch.distributed.run" not in child.cmdline():
            return child
    return None


def test_a_run_over_two_machines_outlives_a_killed_process(machines, tmp_path, forking):
    out = RunDir(tmp_path / "run")
    launchers = started(job_of(tmp_path, "8000"), machines, tmp_path)
    try:
        wait_for(lambda: checkpoint.list_checkpoints(out.checkpoints), what="a checkpoint")
        worker_of(launchers[1]).send_signal(signal.SIGKILL)
        for node, launcher in enumerate(launchers):
            assert launcher.wait(timeout=300) == 0, (tmp_path / f"node{node}.log").read_text()
    finally:
        for launcher in launchers:
            launcher.kill()
    log = (tmp_path / "node0.log").read_text()
    assert "2 processes train this run together." in log
    assert "The run goes on after step" in log
    assert "Finished after 8,000 images" in log
    events = [json.loads(line) for line in out.metrics_log.read_text().splitlines()]
    scored = [event["kernel"] for event in events if event.get("event") == "scored"]
    alone = ranks.ended(
        ranks.start(
            forking,
            1,
            "-m",
            "ganvas",
            "train",
            *SMALL,
            "--images",
            "8000",
            "--out",
            str(tmp_path / "one"),
        )
    )
    assert alone[0][0] == 0, alone
    events = [
        json.loads(line) for line in RunDir(tmp_path / "one").metrics_log.read_text().splitlines()
    ]
    other = [event["kernel"] for event in events if event.get("event") == "scored"]
    assert scored[-1] == pytest.approx(other[-1], rel=0.25)
