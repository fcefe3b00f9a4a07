"""Azure Machine Learning: a command job (version 2) with PyTorch's distribution.

The service starts the processes and tells each by its environment who it is; the images and the run
lie in a datastore. A node of low priority that is taken away is told by SIGTERM, and the job that
is handed in again goes on.
"""

from collections.abc import Sequence
from math import log
from pathlib import Path
from typing import Any

import yaml

from ganvas import __version__
from ganvas.launch.job import MARK, Job, JobError
from ganvas.sweep.space import Range

SCHEMA = "https://azuremlschemas.azureedge.net/latest/commandJob.schema.json"
CUDA = "mcr.microsoft.com/azureml/openmpi5.0-cuda12.6-ubuntu22.04"
PLAIN = "mcr.microsoft.com/azureml/openmpi5.0-ubuntu24.04"
METRIC = "kernel"  # as --track mlflow reports it
AT_ONCE = 4  # trials of a sweep
STORE = "azureml://datastores/workspaceblobstore/paths"


class AzureML:
    """Azure ML's `az ml`."""

    file = "azureml.yaml"
    uses: frozenset[str] = frozenset({"time", "compute", "data", "results"})

    def written(self, job: Job) -> str:
        """The description of a job, in YAML."""
        return _text(self._content(job), self.file)

    def _content(self, job: Job) -> dict[str, Any]:
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
                    "type": "uri_file" if job.source.endswith(".zip") else "uri_folder",
                    "mode": "ro_mount",
                    "path": job.data or f"{STORE}/{Path(job.source).name}",
                }
            }
        if job.minutes:
            content["limits"] = {"timeout": 60 * job.minutes}
        return content

    def sweep(self, job: Job, settings: dict[str, Any], ranges: Sequence[Range]) -> str:
        """The description of a sweep job whose trials are this job, with a value of each range.

        The service prunes none: its Bayesian sampling knows no early end.
        """
        content = self._content(job)
        trial = {name: content.pop(name) for name in ("command", "environment")}
        trial["distribution"], trial["resources"] = (
            content.pop("distribution"),
            content.pop("resources"),
        )
        for one in ranges:
            option = one.setting.replace("_", "-")
            trial["command"] += f" --{option} ${{{{search_space.{one.setting}}}}}"
        content["outputs"]["run"]["path"] += "/${{name}}"  # a place of its own for every trial
        limits = {"max_total_trials": settings["trials"], "max_concurrent_trials": AT_ONCE}
        content |= {
            "$schema": SCHEMA.replace("commandJob", "sweepJob"),
            "type": "sweep",
            "trial": trial,
            "sampling_algorithm": "bayesian",
            "search_space": {one.setting: _space(one) for one in ranges},
            "objective": {"goal": "minimize", "primary_metric": METRIC},
            "limits": limits | content.pop("limits", {}),
        }
        return _text(content, self.file)

    def client(self, job: Job, path: Path) -> list[str]:
        """`az ml job create`."""
        return ["az", "ml", "job", "create", "--file", str(path)]


def _text(content: dict[str, Any], file: str) -> str:
    head = f"# {MARK}: az ml job create --file {file}\n"
    return head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def _space(one: Range) -> dict[str, Any]:
    """A range as Azure ML writes it: its logarithms are natural."""
    if one.kind == "choice":
        return {"type": "choice", "values": [*one.values]}
    low, high = (float(value) for value in one.values)
    if one.kind == "log":
        return {"type": "loguniform", "min_value": log(low), "max_value": log(high)}
    if one.kind == "int":
        # Ends included: rounded to the nearest whole number.
        return {"type": "quniform", "min_value": low, "max_value": high, "q": 1}
    return {"type": "uniform", "min_value": low, "max_value": high}


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
