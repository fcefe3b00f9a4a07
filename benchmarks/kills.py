"""Kill training, preparation and `style DIR` at random moments, with disks that fill up in between.

After every death: what was complete before is complete still, and what is there is whole. At the
end everything comes out bit for bit as if nobody had been killed. On Linux the work lies on a small
file system of its own, which is really filled (in a user namespace: no rights are needed);
elsewhere a limit on the size of files stands for it.
"""

import argparse
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from record import record
from stored import BENCHMARKS, Table

from ganvas import config
from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.metadata import CheckpointError
from ganvas.config import Request
from ganvas.config import yaml as run_yaml

INSIDE = "GANVAS_KILLS"  # set where the small file system is already there
SIZE = 96 * 2**20  # bytes of the small file system
ROOM = (0, 4096, 60_000, 400_000)  # bytes left on a full disk
LEAST = 30  # kills that are worth writing down
FULL = 0.25  # of the lives, in which the disk is full from the start
LIFE = {"train": (1.0, 6.0), "prepare": (0.3, 2.5), "style": (2.0, 9.0)}  # seconds
IMAGES, BATCH, SAVE = 1_500_000, 32, "0.2s"
FILES, STYLIZED = 1500, 6


@dataclass
class Tally:
    """What happened to one kind of job."""

    kills: int = 0
    full: int = 0  # lives on a full disk
    said: int = 0  # of those, ended by a sentence
    finished: int = 0
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Job:
    """Something that is killed again and again, and how to see that it lost nothing."""

    command: Callable[[], list[str]]
    check: Callable[[Tally], None]


def main() -> None:
    """Kill, look, and write down what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=[*LIFE])
    asked = parser.parse_args()
    if INSIDE not in os.environ and _own_file_system():
        return
    with tempfile.TemporaryDirectory() as place:
        own = INSIDE in os.environ and _mounted(Path(place))
        try:
            found = trial(Path(place), asked.kills, asked.seed, asked.only, own)
        finally:
            if own:
                subprocess.run(["umount", place], check=True)
    faults = [f"- {name}: {one}" for name, tally in found.items() for one in tally.faults[:5]]
    disk = "a file system that is filled" if own else "a limit on the size of files"
    if asked.kills >= LEAST:
        record(
            BENCHMARKS,
            "kills",
            [table(found)],
            notes="\n".join([f"On {disk}.", *faults]),
            whole={*asked.only} == {*LIFE},
        )
    else:
        print(table(found).markdown(), *faults, sep="\n")
    if any(tally.faults for tally in found.values()):
        sys.exit(1)


def trial(place: Path, kills: int, seed: int, only: list[str], own: bool) -> dict[str, Tally]:
    """Every job, killed by turns; then each runs to its end."""
    chance, tallies = random.Random(seed), {name: Tally() for name in only}
    jobs = {name: JOBS[name](place) for name in only}
    names = cycle(only)
    while (killed := sum(tally.kills for tally in tallies.values())) < kills:
        name = next(names)
        tally, job = tallies[name], jobs[name]
        full = chance.random() < FULL
        with filled(place, chance.choice(ROOM), own) if full else unlimited() as limit:
            low, high = LIFE[name]
            seconds = chance.uniform(high, 2 * high) if full else chance.uniform(low, high)
            live(job, seconds, tally, full, limit)
        job.check(tally)
        print(f"{killed}/{kills} {name}: {tally}", flush=True)
    for name, job in jobs.items():
        done = subprocess.run(job.command(), capture_output=True, text=True, check=False)
        if done.returncode:
            tallies[name].faults.append(f"does not come to its end: {done.stderr[-300:]}")
        job.check(tallies[name])
        ENDS[name](place, tallies[name])
    return tallies


def live(job: Job, seconds: float, tally: Tally, full: bool, limit: int | None) -> None:
    """One life of a job: so long, if it does not end before."""

    def limited() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    process = subprocess.Popen(
        job.command(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=limited
    )
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        _, said = process.communicate()
        tally.kills += 1
    text = said.decode(errors="replace")
    tally.full += full
    if process.returncode == 0:
        tally.finished += 1
    elif process.returncode > 0:
        if full and process.returncode == 1 and text.startswith("ganvas: ") and "full" in text:
            tally.said += 1
        else:
            tally.faults.append(f"ended with {process.returncode}: {text[-300:]}")
    if "Traceback" in text:
        tally.faults.append(text[-300:])


# --- jobs ---------------------------------------------------------------------------------------


def training(place: Path) -> Job:
    """A run of the smallest model, saved five times a second."""
    run, before = place / "run", [0]

    def command() -> list[str]:
        again = checkpoint.list_checkpoints(run / "checkpoints") or (run / "run.yaml").exists()
        return ganvas("train", *(("--resume",) if again else trained()), "--out", run)

    def check(tally: Tally) -> None:
        steps = [
            step
            for folder in checkpoint.list_checkpoints(run / "checkpoints")
            if (step := _step(folder))
        ]
        if before[0] and (not steps or max(steps) < before[0]):
            tally.faults.append(f"step {before[0]} is lost: {steps}")
        before[0] = max([before[0], *steps])
        if (run / "run.yaml").exists():
            _tried(tally, lambda: config.check(Request.of(run_yaml.read_whole(run / "run.yaml"))))
        if (run / "images.json").exists():
            _tried(tally, partial(_json, run / "images.json"))
        _whole_images(run, tally)

    return Job(command, check)


def preparing(place: Path) -> Job:
    """Images decoded into a cache of their own."""
    source, cache = place / "many", place / "cache"
    source.mkdir()
    for number in range(FILES):
        _image(number, 160).save(source / f"{number:05}.png")

    def command() -> list[str]:
        if [*cache.glob("images/[!.]*/manifest.json")]:  # it came to its end: once more
            shutil.rmtree(cache)
        return ["env", f"GANVAS_CACHE={cache}", *ganvas("data", source, "--size", "64")]

    def check(tally: Tally) -> None:
        for manifest in cache.glob("images/[!.]*/manifest.json"):
            _tried(tally, partial(_json, manifest))
            shape = json.loads(manifest.read_bytes())["shape"]
            size = (manifest.parent / "pixels.u8").stat().st_size
            if size != int(np.prod(shape)) or shape[0] != FILES:
                tally.faults.append(f"a prepared set of {shape} has {size} bytes")

    return Job(command, check)


def painting(place: Path) -> Job:
    """A folder of photographs, repainted one after the other."""
    source, out = place / "photographs", place / "stylized"
    source.mkdir()
    for number in range(STYLIZED):
        _image(number, 96).save(source / f"{number:02}.png")
    _image(99, 96).save(place / "painting.png")

    def command() -> list[str]:
        if len([*out.glob("[!.]*.png")]) == STYLIZED:
            shutil.rmtree(out)
        return stylized(source, out)

    return Job(command, lambda tally: _whole_images(out, tally))


JOBS: dict[str, Callable[[Path], Job]] = {
    "train": training,
    "prepare": preparing,
    "style": painting,
}


# --- as if nobody had been killed ----------------------------------------------------------------


def same_run(place: Path, tally: Tally) -> None:
    """The run's weights are those of a run that nobody killed."""
    shutil.rmtree(place / "whole", ignore_errors=True)
    command = ganvas("train", *trained(), "--out", place / "whole")
    subprocess.run(command, check=True, capture_output=True)
    ours, theirs = (
        checkpoint.newest(place / name / "checkpoints")[0].all_tensors()
        for name in ("run", "whole")
    )
    for name, tensors in theirs.items():
        if not all(torch.equal(tensor, ours[name][key]) for key, tensor in tensors.items()):
            tally.faults.append(f"{name} differs from that of a run that nobody killed")
    _nothing_left(place / "run", tally)


def same_images(place: Path, tally: Tally) -> None:
    """The prepared pixels are those that are prepared in one go."""
    whole = place / "whole-cache"
    command = ["env", f"GANVAS_CACHE={whole}", *ganvas("data", place / "many", "--size", "64")]
    subprocess.run(command, check=True, capture_output=True)
    ours, theirs = (
        {path.parent.name: _digest(path) for path in cache.glob("images/[!.]*/pixels.u8")}
        for cache in (place / "cache", whole)
    )
    if ours != theirs:
        tally.faults.append(f"prepared {ours}, and in one go {theirs}")
    if left := [path.name for path in (place / "cache" / "images").glob(".*")]:
        tally.faults.append(f"left behind: {left}")


def same_paintings(place: Path, tally: Tally) -> None:
    """Every image is as it is stylized in one go."""
    command = stylized(place / "photographs", place / "whole-stylized")
    subprocess.run(command, check=True, capture_output=True)
    for path in sorted((place / "whole-stylized").glob("*.png")):
        other = place / "stylized" / path.name
        if not other.exists() or _pixels(other) != _pixels(path):
            tally.faults.append(f"{path.name} is not as it is stylized in one go")


ENDS: dict[str, Callable[[Path, Tally], None]] = {
    "train": same_run,
    "prepare": same_images,
    "style": same_paintings,
}


# --- disks ----------------------------------------------------------------------------------------


def _own_file_system() -> bool:
    """Run all of this again in a namespace where a file system may be mounted; False where none."""
    unshare = shutil.which("unshare")
    if sys.platform != "linux" or unshare is None:
        return False
    into = [unshare, "--user", "--map-root-user", "--mount"]
    if subprocess.run([*into, "true"], capture_output=True, check=False).returncode:
        return False
    command = [*into, sys.executable, *sys.argv]
    done = subprocess.run(command, env=os.environ | {INSIDE: "1"}, check=False)
    sys.exit(done.returncode)


def _mounted(place: Path) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(place)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextmanager
def filled(place: Path, room: int, own: bool) -> Iterator[int | None]:
    """A disk with no more room than this; where there is none of our own, files of this size."""
    if not own:
        yield room
        return
    filler = place / "filler"
    try:
        with filler.open("wb") as file:
            free = shutil.disk_usage(place).free
            os.posix_fallocate(file.fileno(), 0, max(1, free - room))
        yield None
    finally:
        filler.unlink()


@contextmanager
def unlimited() -> Iterator[int | None]:
    """A disk with room."""
    yield None


# --- small things ---------------------------------------------------------------------------------


def ganvas(*arguments: object) -> list[str]:
    """The command line, with one thread: sums depend on their order."""
    return ["env", "OMP_NUM_THREADS=1", sys.executable, "-m", "ganvas", *map(str, arguments)]


def trained() -> list[str]:
    """What is trained."""
    size = ["--size", "8", "--width", "16", "--latent", "16", "--batch", str(BATCH)]
    length = ["--images", str(IMAGES), "--save-every", SAVE, "--samples", "200"]
    return ["digits", "--model", "fc", *size, *length, "--threads", "1", "--precision", "fp32"]


def stylized(source: Path, out: Path) -> list[str]:
    """The command that stylizes a folder."""
    flags = ["--size", "64", "--preset", "draft", "--iterations", "8", "--precision", "fp32"]
    return ganvas("style", source, source.parent / "painting.png", "--out", out, *flags)


def _image(number: int, side: int) -> Image.Image:
    chance = np.random.default_rng(number)
    coarse = chance.integers(0, 255, (8, 8, 3), np.uint8)
    return Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)


def _step(folder: Path) -> int | None:
    try:
        return checkpoint.verify(checkpoint.read(folder)).state.step
    except CheckpointError:
        return None


def _tried(tally: Tally, work: Callable[[], object]) -> None:
    try:
        work()
    except Exception as fault:  # whatever it is, the file is not whole
        tally.faults.append(f"{type(fault).__name__}: {str(fault)[:200]}")


def _whole_images(folder: Path, tally: Tally) -> None:
    for path in [*folder.rglob("[!.]*.png"), *folder.rglob("[!.]*.gif")]:
        _tried(tally, partial(_pixels, path))


def _nothing_left(folder: Path, tally: Tally) -> None:
    if left := [path.name for path in folder.rglob(".*") if path.name != ".lock"]:
        tally.faults.append(f"left behind: {left}")


def _json(path: Path) -> object:
    return json.loads(path.read_bytes())


def _pixels(path: Path) -> bytes:
    with Image.open(path) as image:
        image.load()
        return image.tobytes()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def table(found: dict[str, Tally]) -> Table:
    """What happened to each kind of job."""
    heads = ["", "killed", "on a full disk", "of those ended by a sentence", "finished", "faults"]
    rows = []
    for name, tally in found.items():
        numbers = (tally.kills, tally.full, tally.said, tally.finished, len(tally.faults))
        rows.append([name, *map(str, numbers)])
    return Table(heads, rows)


if __name__ == "__main__":
    main()
