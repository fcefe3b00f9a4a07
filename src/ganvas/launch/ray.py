"""Ray: a script with a TorchTrainer, whose workers are the processes of the run.

A worker that is lost, or whose machine is taken away, is replaced, and the same command goes on.
"""

from pathlib import Path

from ganvas.launch.job import MARK, RESTARTS, Job

SCRIPT = '''"""{mark}: {count} processes on a Ray cluster.

Where Ray runs: ray job submit --working-dir . -- python {file}
"""

import os

from ray.train import FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchConfig, TorchTrainer

ARGUMENTS = {words!r}
FOLDER = {folder!r}  # on a file system that all machines share


def train(config):
    """One process of the run; Ray has told it who it is."""
    from ganvas.cli import main

    os.chdir(config["folder"])
    try:
        main(config["arguments"])
    except SystemExit as end:
        if end.code:
            raise RuntimeError(f"ganvas ended with {{end.code}}; its log says why.") from end


if __name__ == "__main__":
    TorchTrainer(
        train,
        train_loop_config={{"arguments": ARGUMENTS, "folder": FOLDER}},
        torch_config=TorchConfig(backend={backend!r}),
        scaling_config=ScalingConfig(
            num_workers={count}, use_gpu={gpu}, resources_per_worker={resources!r}
        ),
        run_config=RunConfig(
            name={name!r},
            storage_path=os.path.join(FOLDER, "ray"),
            failure_config=FailureConfig(max_failures={restarts}),
        ),
    ).fit()
'''


class Ray:
    """Ray Train."""

    uses: frozenset[str] = frozenset()
    file = "ray_job.py"

    def written(self, job: Job) -> str:
        """A Python script."""
        resources: dict[str, float] = {"CPU": job.cpus}
        if job.gpus:
            resources["GPU"] = job.gpus / job.processes
        return SCRIPT.format(
            mark=MARK,
            count=job.count,
            file=self.file,
            words=[*job.words],
            folder=str(job.folder),
            backend="cpu:gloo,cuda:nccl" if job.gpus else "gloo",
            gpu=bool(job.gpus),
            resources=resources,
            name=job.name,
            restarts=RESTARTS,
        )

    def client(self, job: Job, path: Path) -> list[str]:
        """`ray job submit`."""
        return [
            "ray",
            "job",
            "submit",
            "--working-dir",
            str(path.parent),
            "--",
            "python",
            path.name,
        ]
