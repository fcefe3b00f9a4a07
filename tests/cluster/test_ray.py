"""The script that `ganvas launch ray` writes, run by a local Ray."""

import os
import subprocess
import sys

import pytest

from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.run_dir import RunDir

pytest.importorskip("ray", reason="Ray is not installed: pip install 'ray[train]'")
pytestmark = pytest.mark.cluster
SMALL = ["digits", "--size", "16", "-o", "network.width=4", "--batch", "16", "--threads", "1"]
# Half a core for each worker, and what Ray itself takes: more than a core of a small machine.
ENOUGH = {"RAY_TRAIN_V2_ENABLED": "1", "RAY_DEDUP_LOGS": "0", "RAY_USAGE_STATS_ENABLED": "0"}


def test_two_workers_train_one_run(tmp_path):
    words = ["launch", "ray", "--processes", "2", "--", "train", *SMALL, "--images", "1600"]
    subprocess.run(
        [sys.executable, "-m", "ganvas", *words, "--out", "run"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        timeout=120,
    )
    script = (tmp_path / "ray_job.py").read_text()
    (tmp_path / "ray_job.py").write_text(script.replace("{'CPU': 1}", "{'CPU': 0.5}"))
    done = subprocess.run(
        [sys.executable, "ray_job.py"],
        cwd=tmp_path,
        env=os.environ | ENOUGH,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "2 processes train this run together." in said
    found, _ = checkpoint.newest(RunDir(tmp_path / "run").checkpoints)
    assert found.state.images == 1600
    assert found.metadata.processes == 2
