"""What a discriminator that looks through a pretrained network takes of a training step.

    python benchmarks/pretrained_share.py [--sizes 32 64 128] [--blocks 9]

The parts that the frozen network and its heads add are computed on the images of the same step, by
turns with whole steps of `compact` with both discriminators and with its own alone.
"""

import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from models import write_noise
from record import record
from stored import BENCHMARKS, Table

from ganvas.config import Request
from ganvas.events import result_of
from ganvas.models import AdversarialModel
from ganvas.models.projected import Seen
from ganvas.runs.build import Build, build
from ganvas.training.heads import LookedAt, discriminator_loss, generator_loss

WIDTH, BATCH = 32, 32
Part = Callable[[], object]
PARTS = ("network, real images", "network, generated images", "heads")
HEADS = ["", "step, ms", "own alone, ms", *(f"{part}, %" for part in PARTS), "together, %"]


def main() -> None:
    """Measure, print and record."""
    options = ArgumentParser(description="The share of a step that a pretrained network takes.")
    options.add_argument("--sizes", type=int, nargs="+", default=[32, 64, 128])
    options.add_argument("--blocks", type=int, default=9)
    options.add_argument("--results", type=Path, default=BENCHMARKS)
    given = options.parse_args()
    record(
        given.results,
        "pretrained_share",
        [Table(HEADS, [row(side, given.blocks) for side in given.sizes])],
        notes=f"`compact`, width {WIDTH}, batch {BATCH}, colour images, {torch.get_num_threads()} "
        "threads. Generated images include the gradient that comes back to them.",
    )


def row(side: int, blocks: int) -> list[str]:
    """One line of the table: the median of as many blocks."""
    with tempfile.TemporaryDirectory() as folder:
        write_noise(Path(folder), side)
        both, own = (_built(Path(folder), side, name) for name in ("both", "own"))
        timed = {"both": _round(both), "own": _round(own), **parts(both, side)}
        steps = {"both": both.trainer.round, "own": own.trainer.round}
        found: dict[str, list[float]] = {name: [] for name in timed}
        for block in range(-1, blocks):  # the first is a warm-up
            for name, part in timed.items():
                seconds = _seconds(part) / steps.get(name, 1)
                if block >= 0:
                    found[name].append(seconds)
    whole, alone, *added = (median(found[name]) for name in timed)
    shares = [f"{100 * one / whole:.0f}" for one in (*added, sum(added))]
    return [f"{side}x{side}", f"{1000 * whole:.0f}", f"{1000 * alone:.0f}", *shares]


def parts(built: Build, side: int) -> dict[str, Part]:
    """What a step with both discriminators does in addition, on images of noise."""
    model = built.initial_state().model
    assert isinstance(model, AdversarialModel)
    assert model.projected is not None
    projected = model.projected
    real = torch.randn(BATCH, 3, side, side).clamp(-1, 1)
    fake, labels = real.flip(0).requires_grad_(), torch.zeros(BATCH, 0)
    with torch.no_grad():
        seen = LookedAt(projected.look(real), projected.look(fake))
    leaves = [x.clone().requires_grad_() for x in seen.fake.mixed]

    def of_real() -> None:
        with torch.no_grad():
            projected.look(real)

    def of_fake() -> None:
        found = projected.look(fake).mixed
        torch.autograd.grad(torch.stack([x.float().mean() for x in found]).sum(), fake)

    def heads() -> None:
        with built.precision.autocast():
            loss = discriminator_loss(projected, seen, labels).loss
            torch.autograd.grad(loss, [*projected.heads.parameters()])
            looked = LookedAt(seen.real, Seen(seen.fake.activations, leaves, None))
            torch.autograd.grad(generator_loss(projected, looked, labels), leaves)

    return dict(zip(PARTS, (of_real, of_fake, heads), strict=True))


def _built(folder: Path, side: int, discriminator: str) -> Build:
    content = {
        "source": str(folder),
        "model": "compact",
        "data": {"size": str(side), "channels": "3"},
        "network": {"width": WIDTH, "blocks": 0},
        "game": {"discriminator": discriminator},
        "training": {"batch": BATCH},
    }
    return result_of(build(Request.of(content)))


def _round(built: Build) -> Part:
    """A round of steps, of which one carries the penalties."""
    (steps,) = built.timed_rounds()
    return steps


def _seconds(part: Part) -> float:
    began = time.perf_counter()
    part()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
