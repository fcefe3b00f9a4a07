"""A Slurm of one node, in a folder of its own; and two machines in one, by network namespaces."""

import os
import shutil
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
import ranks
from ranks import said, wait_for

CONFIG = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={daemon}
SlurmUser=root
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ReturnToService=2
KillWait=30
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory):
    """The environment of a Slurm with one node and as many CPUs as there are."""
    if os.geteuid() or not all(map(shutil.which, ("slurmctld", "slurmd", "munged", "sbatch"))):
        pytest.skip("needs root, and slurm-wlm and munge")
    folder = tmp_path_factory.mktemp("slurm")
    folder.chmod(0o755)
    host, config = socket.gethostname(), folder / "slurm.conf"
    ports = {"controller": ranks.free_port(), "daemon": ranks.free_port()}
    config.write_text(CONFIG.format(host=host, folder=folder, cpus=os.cpu_count(), **ports))
    (folder / "state").mkdir()
    (folder / "spool").mkdir()
    Path("/run/munge").mkdir(exist_ok=True)
    shutil.chown("/run/munge", "munge", "munge")
    subprocess.run(["runuser", "-u", "munge", "--", "munged"], check=False)  # it may be there
    environment = {"SLURM_CONF": str(config)}
    said("slurmctld", **environment)
    said("slurmd", "-N", host, **environment)
    try:
        wait_for(lambda: "idle" in said("sinfo", **environment), 60, "an idle node")
        yield environment
    finally:
        for name in ("slurmd", "slurmctld"):
            with suppress(OSError, ValueError):
                os.kill(int((folder / f"{name}.pid").read_text()), signal.SIGTERM)


@pytest.fixture
def machines():
    """Two network namespaces with an address each, as machines are: name, address, and device."""
    if os.geteuid() or not shutil.which("ip"):
        pytest.skip("needs root, and iproute2")
    names = [f"ganvas{os.getpid()}{side}" for side in "ab"]
    links = [f"gv{os.getpid() % 10**6}{side}" for side in "ab"]
    addresses = ["10.77.0.1", "10.77.0.2"]
    try:
        for name in names:
            said("ip", "netns", "add", name)
        said("ip", "link", "add", links[0], "type", "veth", "peer", "name", links[1])
        for name, link, address in zip(names, links, addresses, strict=True):
            said("ip", "link", "set", link, "netns", name)
            said("ip", "-n", name, "addr", "add", f"{address}/24", "dev", link)
            said("ip", "-n", name, "link", "set", "lo", "up")
            said("ip", "-n", name, "link", "set", link, "up")
        yield list(zip(names, addresses, links, strict=True))
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
