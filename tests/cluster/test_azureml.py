"""The job that `ganvas launch azureml` writes: read by Azure's client, run as the service would."""

import subprocess
import sys
import warnings

import pytest
import ranks
import yaml

from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.run_dir import RunDir

pytestmark = pytest.mark.cluster
OPTIONS = ["--nodes", "1", "--gpus", "2", "--compute", "gpu-cluster", "--time", "4h"]
SMALL = ["--size", "16", "-o", "network.width=4", "--batch", "16", "--threads", "1"]


@pytest.fixture
def job(tmp_path):
    words = ["launch", "azureml", *OPTIONS, "--", "train", "my images/", *SMALL, "--images", "320"]
    subprocess.run(
        [sys.executable, "-m", "ganvas", *words, "--only", "*.png"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        timeout=120,
    )
    return tmp_path / "azureml.yaml"


@pytest.fixture(scope="module")
def read():
    """What Azure's client makes of a job; warnings about its own parts are no concern of ours."""
    # Here, because it takes three seconds, in every process that collects these tests.
    azure = pytest.importorskip("azure.ai.ml", reason="not installed: pip install azure-ai-ml")

    def found(job):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="(marshmallow|azure|pydash|opentelemetry).*")
            return azure.load_job(job)

    return found


def test_azures_client_reads_the_job_without_warnings(read, job, caplog):
    found = read(job)
    assert not [record for record in caplog.records if record.levelname != "INFO"]
    assert found.distribution.process_count_per_instance == 2
    assert found.resources.instance_count == 1
    assert found.inputs["images"].path == "azureml://datastores/workspaceblobstore/paths/my images"
    assert found.outputs["run"].mode == "rw_mount"
    assert found.limits.timeout == 4 * 3600
    assert found.compute == "gpu-cluster"


def test_azures_client_reads_the_job_of_a_sweep(read, tmp_path):
    ranges = [
        "lr_g=log(1e-3,1e-1)",
        "r1=uniform(0,9)",
        "width=int(8,16)",
        "augment=choice(none,shift)",
    ]
    words = [word for text in ranges for word in ("--param", text)]
    command = [
        sys.executable,
        "-m",
        "ganvas",
        "launch",
        "azureml",
        "--compute",
        "gpu-cluster",
        "--",
    ]
    command += ["sweep", "my-images/", *words, "--trials", "12", "--for=2h", "--size", "64"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    found = read(tmp_path / "azureml.yaml")
    assert found.outputs["run"].path.endswith("/${{name}}"), "trials do not share a place"
    assert "--requeue" in found.trial.command
    assert found.objective.primary_metric == "kernel"
    assert found.limits.max_total_trials == 12
    assert found.search_space["lr_g"].min_value == pytest.approx(-6.9078, abs=1e-3)
    assert found.search_space["augment"].values == ["none", "shift"]
    assert "--lr-g ${{search_space.lr_g}}" in found.trial.command
    assert "--param" not in found.trial.command
    assert "--size 64" in found.trial.command
    assert "--track mlflow" in found.trial.command


def test_the_jobs_command_line_trains_as_the_service_would_start_it(job, twelve, tmp_path, forking):
    command = yaml.safe_load(job.read_text())["command"]
    command = command.replace("${{inputs.images}}", str(twelve))
    command = command.replace("${{outputs.run}}", str(tmp_path / "mounted"))
    script = tmp_path / "command.sh"
    script.write_text(command.replace("python -m", f"{sys.executable} -m"))
    # It starts a shell in each process; here Python starts it.
    started = ["-c", "import subprocess, sys; sys.exit(subprocess.call(['sh', sys.argv[1]]))"]
    ended = ranks.ended(ranks.start(forking, 2, *started, str(script)))
    assert [status for status, _, _ in ended] == [0, 0], ended
    found, _ = checkpoint.newest(RunDir(tmp_path / "mounted").checkpoints)
    assert (found.state.images, found.metadata.processes) == (320, 2)
