"""PyTorch's own launcher: on one machine, or started on each of several."""

from pathlib import Path
from shlex import quote

from ganvas.launch.job import MARK, RESTARTS, Job

PORT = 29400

ALONE = """#!/bin/sh
# {mark}: {count} processes on this machine.
cd {folder} || exit 1
{threads}exec {python} -m torch.distributed.run --standalone --nproc-per-node {processes} \\
  --max-restarts {restarts} \\
  -m ganvas {words}
"""

# Without `is_host` neither side of a machine with several addresses believes to be the host.
SEVERAL = """#!/bin/sh
# {mark}: {count} processes on {nodes} machines.
# Start it on each of them within a minute: HEAD=ADDRESS NODE=0 sh {file} on the first, whose
# address that is, then NODE=1 and so on. They need the same ganvas and the same images.
: "${{HEAD:?say the address of the first machine: HEAD=10.0.0.1}}"
: "${{NODE:?say which of the {nodes} machines this is: NODE=0 to NODE={last}}}"
cd {folder} || exit 1
export TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1  # who is started again meets anew
{threads}exec {python} -m torch.distributed.run --nnodes {nodes} --nproc-per-node {processes} \\
  --node-rank "$NODE" --max-restarts {restarts} --rdzv-backend c10d \\
  --rdzv-endpoint "$HEAD:${{PORT:-{port}}}" --rdzv-id {name} \\
  --rdzv-conf "is_host=$((NODE == 0)),join_timeout=60" ${{ADDRESS:+--local-addr "$ADDRESS"}} \\
  -m ganvas {words}
"""


class Torchrun:
    """`torchrun` (torch.distributed.run)."""

    file = "torchrun.sh"
    uses: frozenset[str] = frozenset()

    def written(self, job: Job) -> str:
        """A shell script, to be started on each machine."""
        return (ALONE if job.nodes == 1 else SEVERAL).format(
            mark=MARK,
            count=job.count,
            nodes=job.nodes,
            last=job.nodes - 1,
            processes=job.processes,
            restarts=RESTARTS,
            folder=quote(str(job.folder)),
            file=self.file,
            python=quote(job.python),
            words=" ".join(map(quote, job.words)),
            name=quote(job.name),
            port=PORT,
            threads=f"export OMP_NUM_THREADS={job.cpus}\n",
        )

    def client(self, job: Job, path: Path) -> list[str]:
        """The shell, on this machine."""
        return ["sh", str(path)]
