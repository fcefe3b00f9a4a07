"""Azure Machine Learning: a command job (version 2) with PyTorch's distribution.

The service starts the processes and tells each by its environment who it is; the images and the run
lie in a datastore. A node of low priority that is taken away is told by SIGTERM, and the job that
is handed in again goes on.
"""

from pathlib import Path
from typing import Any

import yaml

from ganvas import __version__
from ganvas.launch.job import MARK, Job, JobError

SCHEMA = "https://azuremlschemas.azureedge.net/latest/commandJob.schema.json"
CUDA = "mcr.microsoft.com/azureml/openmpi5.0-cuda12.6-ubuntu22.04"
PLAIN = "mcr.microsoft.com/azureml/openmpi5.0-ubuntu24.04"
STORE = "azureml://datastores/workspaceblobstore/paths"


class AzureML:
    """Azure ML's `az ml`."""

    file = "azureml.yaml"

    def written(self, job: Job) -> str:
        """The description of a job, in YAML."""
        if job.compute is None:
            raise JobError("say which compute cluster of the workspace to take: --compute NAME.")
        places = {job.out: "${{outputs.run}}"}
        if job.source is not None and not job.builtin:
            places[job.source] = "${{inputs.images}}"
        words = [places.get(word, word) for word in job.words]
        if "--out" not in words:
            words += ["--out", places[job.out]]
        content: dict[str, Any] = {
            "$schema": SCHEMA,
            "type": "command",
            "display_name": job.name,
            "experiment_name": job.name,
            "command": " ".join(["python -m ganvas", *map(_quoted, words)]),
            "environment": {"image": CUDA if job.gpus else PLAIN, "conda_file": _conda()},
            "compute": f"azureml:{job.compute}",
            "distribution": {"type": "pytorch", "process_count_per_instance": job.processes},
            "resources": {"instance_count": job.nodes},
            "outputs": {
                "run": {
                    "type": "uri_folder",
                    "mode": "rw_mount",
                    "path": job.results or f"{STORE}/ganvas/{job.name}",
                }
            },
        }
        if job.source is not None and not job.builtin:
            content["inputs"] = {
                "images": {
                    "type": "uri_folder",
                    "mode": "ro_mount",
                    "path": job.data or f"{STORE}/{Path(job.source).name}",
                }
            }
        if job.minutes:
            content["limits"] = {"timeout": 60 * job.minutes}
        head = f"# {MARK}: az ml job create --file {self.file}\n"
        return head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True)

    def client(self, job: Job, path: Path) -> list[str]:
        """`az ml job create`."""
        return ["az", "ml", "job", "create", "--file", str(path)]


def _quoted(word: str) -> str:
    """A word for the shell of the job, in which the service fills in `${{...}}`."""
    plain = all(letter.isalnum() or letter in "._-/=,:+@%" for letter in word) and word
    return word if plain or word.startswith("${{") else "'" + word.replace("'", "'\\''") + "'"


def _conda() -> dict[str, Any]:
    packages = ["torch", f"ganvas[mlflow]=={__version__}"]
    return {
        "channels": ["conda-forge"],
        "dependencies": ["python=3.12", "pip", {"pip": packages}],
    }
