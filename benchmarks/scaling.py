"""Speed of 1, 2 and 4 processes that train one run, the share of it that communication takes, and a
model of many GPUs.

`python benchmarks/scaling.py`, on a quiet machine. Processes on one machine share its cores: more
of them than cores only show what that costs. The model says how a step of a published length on one
GPU would scale, from the bytes that ganvas sends in a step and from the links that are stated.
"""

import json
import os
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
import torch.distributed as dist
from images import prepared
from record import record
from stored import BENCHMARKS, Table

from ganvas.config import Request, resolve
from ganvas.data.loader import Loader
from ganvas.models import build
from ganvas.runtime.distributed import joined, together
from ganvas.runtime.parallel import usable_cores
from ganvas.training import TRAINERS, Precision

CPU = torch.device("cpu")
COUNTS, WARM, STEPS, ROUNDS, BATCH, SIDE = (1, 2, 4), 2, 8, 3, 64, 64
MODELS = ("compact", "stylegan")
WANTED = 0.9


@dataclass(frozen=True)
class Links:
    """What connects GPUs: bytes a second of each GPU, and seconds for each message."""

    inside: float  # between the GPUs of a machine
    outside: float  # between machines, for each GPU
    latency: float
    each: int = 8  # GPUs of a machine


# NVLink of an A100 (600 GB/s, both directions), and one 200 Gb/s InfiniBand port for each GPU; or
# one 25 Gb/s Ethernet port for a machine of eight, as the cheapest rented ones have.
LINKS = {
    "InfiniBand, 200 Gb/s a GPU": Links(300e9, 25e9, 20e-6),
    "Ethernet, 25 Gb/s a machine": Links(300e9, 25e9 / 8 / 8, 50e-6),
}
# Seconds for 1,000 images of StyleGAN2 at 256x256 on one A100 (NVlabs, stylegan3/docs/configs.md).
THOUSAND, EACH = 12.53, 8  # and images of a GPU in a step: its batch of 64 on eight of them


def main() -> None:
    """Measure, print and record; or be one of the processes."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--worker", help="a model: train it as the environment says")
    worker = parser.parse_args().worker
    if worker:
        print(json.dumps(_worker(worker)))
        return
    rows, sent = [], {}
    for model in MODELS:
        found = _rounds(model)
        sent[model] = found[2][0]["bytes"]
        alone = median(one["rate"] for one in found[1])
        for count in COUNTS:
            ratios = [a["rate"] / b["rate"] for a, b in zip(found[count], found[1], strict=True)]
            share = median(one["share"] for one in found[count])
            rows.append(
                [
                    f"`{model}`, {count}",
                    f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
                    f"{share:.1%}" if count > 1 else "",
                    f"{median(one['rate'] for one in found[count]):.0f}",
                ]
            )
        print(model, alone, rows, flush=True)
    measured = Table(["processes", "speed-up", "communication, share of a step", "images/s"], rows)
    numbers = (8, 16, 32, 64, 128, 256, 512)
    modelled = [
        [name, *(f"{_efficiency(links, count, sent['stylegan']):.3f}" for count in numbers)]
        for name, links in LINKS.items()
    ]
    table = Table(["efficiency of GPUs, modelled", *map(str, numbers)], modelled)
    notes = (
        f"Emoji at {SIDE}x{SIDE}, a batch of {BATCH} of all processes, one thread each, on "
        f"{usable_cores()} cores, median of {ROUNDS} rounds in which the numbers of processes take "
        f"turns. The model: a step of {EACH} images a GPU, {THOUSAND} s for 1,000 images on one "
        "(StyleGAN2 at 256x256 on an A100, published), ring all-reduce of the gradients that "
        f"`stylegan` sends here ({sent['stylegan'] / 1e6:.0f} MB a step) with nothing computed "
        "meanwhile, "
        + "; ".join(
            f"{name}: {links.inside / 1e9:.0f} GB/s inside a machine of {links.each}, "
            f"{links.outside / 1e9:.1f} GB/s a GPU outside, {1e6 * links.latency:.0f} µs a message"
            for name, links in LINKS.items()
        )
        + "."
    )
    record(BENCHMARKS, "scaling", [measured, table], notes=notes)


def _rounds(model: str) -> dict[int, list[dict[str, float]]]:
    """What the numbers of processes reach, by turns."""
    found: dict[int, list[dict[str, float]]] = {count: [] for count in COUNTS}
    for number in range(ROUNDS):
        for count in COUNTS:
            shared = {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "OMP_NUM_THREADS": "1"}
            shared |= {"MASTER_PORT": str(29600 + 10 * number + count)}
            processes = [
                subprocess.Popen(
                    [sys.executable, __file__, "--worker", model],
                    env=os.environ | shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
                    stdout=subprocess.PIPE,
                    text=True,
                )
                for rank in range(count)
            ]
            said = [process.communicate()[0] for process in processes]
            found[count].append(json.loads(said[0]))
    return found


def _worker(name: str) -> dict[str, float]:
    """Images a second, the share of communication, and bytes sent, of the first process."""
    torch.set_num_threads(1)
    images = prepared("emoji", SIDE)
    config = resolve(
        Request.of(
            {"source": "emoji", "model": name, "training": {"batch": BATCH, "images": 10**6},
             "network": {"width": 16}, "game": {"discriminator": "own"}}
        ),
        images.shape, images.usable,
    )  # fmt: skip
    torch.manual_seed(0)
    model = build(name, config.network, images.shape, 0)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in stubs
    trainer = TRAINERS[config.spec.trainer](config.game, Precision(CPU, bf16=False))
    state, loader = trainer.start(model, 0), Loader(images, BATCH, CPU)

    def steps(count: int) -> None:
        for _ in range(count):
            with together():
                trainer.step(state, loader, 0.0)
            state.step += 1

    with joined(), _counted() as spent:
        steps(WARM)
        spent.update(seconds=0.0, bytes=0.0)
        shown, began = state.images, time.perf_counter()
        steps(STEPS)
        seconds = time.perf_counter() - began
    return {
        "rate": (state.images - shown) / seconds,
        "share": spent["seconds"] / seconds,
        "bytes": spent["bytes"] / STEPS,
    }


@contextmanager
def _counted() -> Iterator[dict[str, float]]:
    """Seconds and bytes of all reductions while the block runs; waiting for others counts."""
    spent = {"seconds": 0.0, "bytes": 0.0}
    reduce = dist.all_reduce

    def counting(tensor: torch.Tensor, *rest: Any, **more: Any) -> Any:
        began = time.perf_counter()
        found = reduce(tensor, *rest, **more)
        spent["seconds"] += time.perf_counter() - began
        spent["bytes"] += tensor.numel() * tensor.element_size()
        return found

    dist.all_reduce = counting
    try:
        yield spent
    finally:
        dist.all_reduce = reduce


def _efficiency(links: Links, count: int, sent: float) -> float:
    """The share of `count` GPUs' time that is spent on computing: a ring inside each machine, and
    one over the machines."""
    machines, each = max(1, count // links.each), min(count, links.each)
    inside = 2 * (each - 1) / each * sent / links.inside + 2 * (each - 1) * links.latency
    outside = 0.0
    if machines > 1:
        part = sent / each  # each GPU of a machine sends its part of what is summed inside
        outside = 2 * (machines - 1) / machines * part / links.outside
        outside += 2 * (machines - 1) * links.latency
    step = THOUSAND / 1000 * EACH
    return step / (step + inside + outside)


if __name__ == "__main__":
    main()
