"""Jobs for rented machines: one run on several processes, started by an engine that exists."""

from ganvas.launch.azureml import AzureML
from ganvas.launch.engine import Engine
from ganvas.launch.job import Job, JobError, submit, write
from ganvas.launch.ray import Ray
from ganvas.launch.slurm import Slurm
from ganvas.launch.torchrun import Torchrun

ENGINES: dict[str, Engine] = {
    "torchrun": Torchrun(),
    "slurm": Slurm(),
    "azureml": AzureML(),
    "ray": Ray(),
}

__all__ = ["ENGINES", "Engine", "Job", "JobError", "submit", "write"]
