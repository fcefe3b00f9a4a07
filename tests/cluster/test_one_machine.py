"""Two processes of one machine, each of which is killed once, and started again by torchrun."""

import os
import signal
import subprocess
import sys
from contextlib import suppress

import psutil
import pytest
from ranks import wait_for

from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.run_dir import RunDir

pytestmark = pytest.mark.cluster
SMALL = ["digits", "--size", "16", "-o", "network.width=4", "--batch", "16", "--threads", "1"]
SMALL += ["--precision", "fp32", "--save-every", "1s", "--images", "10000000", "--out", "run"]


def workers_of(launcher):
    """The processes that train, by their ranks."""
    found = {}
    for child in psutil.Process(launcher.pid).children(recursive=True):
        with suppress(psutil.Error):
            said = child.environ()
            if "RANK" in said and "ganvas" in child.cmdline():
                found[int(said["RANK"])] = child
    return found


def steps(out):
    return [checkpoint.step_of(folder) for folder in checkpoint.list_checkpoints(out.checkpoints)]


def test_a_run_outlives_each_of_its_processes(tmp_path):
    words = ["launch", "torchrun", "--processes", "2", "--", "train", *SMALL]
    subprocess.run([sys.executable, "-m", "ganvas", *words], cwd=tmp_path, check=True, timeout=120)
    out, log = RunDir(tmp_path / "run"), tmp_path / "log"
    with log.open("w") as file:
        launcher = subprocess.Popen(
            ["sh", "torchrun.sh"], cwd=tmp_path, env=os.environ, stdout=file, stderr=file
        )
    try:
        last = 0
        for rank in (1, 0, None):
            wait_for(lambda last=last: max(steps(out), default=0) > last, what="a checkpoint")
            last = max(steps(out))
            if rank is not None:
                workers_of(launcher)[rank].send_signal(signal.SIGKILL)
        stop = [sys.executable, "-m", "ganvas", "steer", "run", "--stop"]
        subprocess.run(stop, cwd=tmp_path, check=True, timeout=120)
        assert launcher.wait(timeout=300) == 0, log.read_text()
    finally:
        launcher.kill()
    assert log.read_text().count("The run goes on after step") == 2, log.read_text()
