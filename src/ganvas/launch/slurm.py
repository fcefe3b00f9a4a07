"""Slurm: a batch script, whose tasks are the processes of the run.

Before its time is over, and where it must make room for another, Slurm sends SIGTERM: the run saves
and ends, the script hands itself in again, and the same command goes on.
"""

from pathlib import Path
from shlex import quote

from ganvas.launch.job import MARK, Job

NOTICE = 120  # seconds before the end of its time at which a job is told
SIGTERM = 128 + 15  # the exit status of a run that was told

SCRIPT = """#!/bin/bash
# {mark}: {count} processes on {nodes} nodes.
#SBATCH --job-name={name}
#SBATCH --nodes={nodes}
#SBATCH --ntasks-per-node={processes}
#SBATCH --cpus-per-task={cpus}
{more}#SBATCH --chdir={folder}
#SBATCH --output={name}-%j.log
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=TERM@{notice}
set -u
MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
MASTER_PORT=$((20000 + SLURM_JOB_ID % 10000))
export MASTER_ADDR MASTER_PORT OMP_NUM_THREADS={cpus}
srun bash -c 'export RANK=$SLURM_PROCID WORLD_SIZE=$SLURM_NTASKS LOCAL_RANK=$SLURM_LOCALID
export LOCAL_WORLD_SIZE={processes}
exec "$@"' ganvas {line}
status=$?
if [ "$status" -eq {sigterm} ]; then
  scontrol requeue "$SLURM_JOB_ID" && sleep 60 # it is ended before that, and begins again
fi
exit "$status"
"""


class Slurm:
    """Slurm's `sbatch`."""

    uses: frozenset[str] = frozenset({"time", "compute"})
    file = "ganvas.sbatch"

    def written(self, job: Job) -> str:
        """A batch script."""
        more = f"#SBATCH --gpus-per-node={job.gpus}\n" if job.gpus else ""
        more += f"#SBATCH --time={job.minutes}\n" if job.minutes else ""
        more += f"#SBATCH --partition={job.compute}\n" if job.compute else ""
        return SCRIPT.format(
            mark=MARK,
            count=job.count,
            nodes=job.nodes,
            processes=job.processes,
            cpus=job.cpus,
            more=more,
            folder=quote(str(job.folder)),
            name=job.name,
            notice=NOTICE,
            sigterm=SIGTERM,
            line=" ".join([quote(job.python), "-m", "ganvas", *map(quote, job.words)]),
        )

    def client(self, job: Job, path: Path) -> list[str]:
        """`sbatch`."""
        return ["sbatch", str(path)]
