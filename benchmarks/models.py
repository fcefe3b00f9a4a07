"""What each model costs: images/s, products an image, memory, share of this machine's peak.

    python benchmarks/models.py [--sizes 32 64 128 256] [--only NAME ...] [--device cuda]

Each model with the width and batch that a plan takes for minutes, in steps as `ganvas train` makes
them (penalties, augmentation for few images and averaging included), and the tutorial's DCGAN in
fp32, alternating in blocks. FLOPs are counted from what torch runs, forward, backward and in
penalties, and divided by the real images shown. The share is that of this machine's bare rate of
multiplying matrices in the same precision.
"""

import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from contestants import tutorial_dcgan_steps
from images import as_tensor
from PIL import Image
from record import record
from stored import BENCHMARKS, Table
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from ganvas.config import Request
from ganvas.events import result_of
from ganvas.models import MODELS
from ganvas.runs.build import Build, build
from ganvas.runs.plan import rows, with_row
from ganvas.runtime.activations import Kept
from ganvas.training import TrainingState, ema

TUTORIAL, TUTORIAL_BATCH = "tutorial DCGAN", 64
SHOWN = 64  # images of noise in the set
SIDE, PRODUCTS = 2048, 8  # of the matrices whose product is the machine's bare rate
LARGEST = {"fc": 64, "dcgan": 256, "vae": 256}  # pixels a side; for fc, beyond it is no use
HEADS = [
    "",
    "width, batch",
    "images/s",
    "against the tutorial",
    "GFLOP an image",
    "share of the peak",
    "MB kept an image",
]


@dataclass
class Contestant:
    """One model at one size: `block()` makes a round of steps, and says how many it showed."""

    about: str
    bf16: bool
    block: Callable[[], int]
    flops: float = 0.0  # an image
    kept: float = 0.0  # bytes an image
    rates: list[float] = field(default_factory=list)


class Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch
    """Adds up the FLOPs of what torch runs.

    By the formulas of torch's FlopCounterMode, which itself cannot follow penalties: it hooks into
    gradients, and a penalty is made of them.
    """

    flops = 0

    def __torch_dispatch__(
        self, operation: Any, types: object, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Called by torch for every operation, on the way back too."""
        result = operation(*args, **(kwargs or {}))
        formula = flop_registry.get(operation._overloadpacket)
        if formula is not None:
            self.flops += formula(*args, **(kwargs or {}), out_val=result)
        return result


def main() -> None:
    """Measure, print and record: a size at a time, since the large ones take long."""
    given = _options()
    peaks = {bf16: peak(bf16, given.device) for bf16 in (True, False)}
    bare = (
        f"Bare products of {SIDE}x{SIDE} matrices: {peaks[True] / 1e9:,.0f} GFLOP/s in bf16, "
        f"{peaks[False] / 1e9:,.0f} in fp32."
    )
    for side in given.sizes:
        found = measured(side, given)
        base = median(found[TUTORIAL].rates) if TUTORIAL in found else 0.0
        rows = [_row(name, one, base, peaks) for name, one in found.items()]
        on_gpu = given.device == "cuda"
        record(
            given.results,
            "models",
            [Table(HEADS, rows)],
            variant=f"{side}x{side}_gpu" if on_gpu else f"{side}x{side}",
            title=f"Cost at {side}x{side}{' on a GPU' if on_gpu else ''}",
            notes=f"On {torch.cuda.get_device_name()}. {bare}" if on_gpu else bare,
            whole={*given.only} >= {TUTORIAL, *MODELS},
        )


def measured(side: int, given: Namespace) -> dict[str, Contestant]:
    """Everybody at one size, in turn."""
    found: dict[str, Contestant] = {}
    with tempfile.TemporaryDirectory() as folder:
        write_noise(Path(folder), side)
        for name in given.only:
            if name == TUTORIAL:
                found[name] = tutorial(Path(folder), side)
            elif side <= LARGEST.get(name, side):
                found[name] = of_catalogue(name, Path(folder), side, given.device)
        for block in range(-1, given.blocks):
            for one in found.values():
                rate = _rate(one.block, given.seconds, given.device)
                if block >= 0:
                    one.rates.append(rate)
    return found


def of_catalogue(name: str, folder: Path, side: int, device: str) -> Contestant:
    """A model of this project."""
    setup = _built(name, folder, side, device)
    state = setup.initial_state()
    steps = _steps(setup, state)
    kept = Kept(state.model)
    with kept.watching():
        setup.trainer.step(state, setup.loader, state.model.stages[-1])
    before = state.images
    with Counter() as counter:  # type: ignore[no-untyped-call]  # torch
        next(steps)
    flops = counter.flops / (state.images - before)
    network, training = setup.config.network, setup.config.training
    return Contestant(
        f"{network.width}, {training.batch}",
        setup.precision.bf16,
        lambda: next(steps),
        flops,
        kept.peak / training.batch,
    )


def tutorial(folder: Path, side: int) -> Contestant:
    """The peer."""
    images = as_tensor(_built("compact", folder, side, "cpu").dataset)
    steps = tutorial_dcgan_steps(images, TUTORIAL_BATCH)
    next(steps)
    with Counter() as counter:  # type: ignore[no-untyped-call]  # torch
        next(steps)

    def block() -> int:
        next(steps)
        return TUTORIAL_BATCH

    flops = counter.flops / TUTORIAL_BATCH
    return Contestant(f"64, {TUTORIAL_BATCH}", bf16=False, block=block, flops=flops)


def _built(name: str, folder: Path, side: int, device: str) -> Build:
    content = {
        "source": str(folder),
        "model": name,
        "data": {"size": str(side), "channels": "3"},
        "training": {"device": device},
    }
    built = result_of(build(Request.of(content)))
    left = rows(built)
    return with_row(built, left[min(1, len(left) - 1)])  # for minutes


def _steps(setup: Build, state: TrainingState) -> Iterator[int]:
    """Rounds of steps, as a run makes them; each says how many images it showed."""
    game, loader, stages = setup.trainer, setup.loader, state.model.stages
    while True:
        before = state.images
        for fraction in stages:
            for _ in range(game.round):
                game.step(state, loader, fraction)
                ema.update(state.average, state.model.generator, 0.99)
                state.step += 1
        yield state.images - before


def write_noise(folder: Path, side: int) -> None:
    """Images of nothing: what they show costs nothing."""
    random = np.random.default_rng(side)
    for number in range(SHOWN):
        noise = random.integers(0, 255, (side, side, 3), np.uint8)
        Image.fromarray(noise).save(folder / f"{number}.png", compress_level=0)


def peak(bf16: bool, device: str) -> float:
    """FLOP/s of bare products of large matrices."""
    kind = torch.bfloat16 if bf16 else torch.float32
    one, other = (torch.randn(SIDE, SIDE, device=device).to(kind) for _ in range(2))

    def products() -> int:
        for _ in range(PRODUCTS):
            one @ other
        return PRODUCTS

    products()
    rates = [_rate(products, 1.0, device) for _ in range(3)]
    return max(rates) * 2 * SIDE**3


def _rate(block: Callable[[], int], seconds: float, device: str) -> float:
    """Images a second of as many blocks as fit, and one at least."""
    shown, count = 0, 0
    _wait(device)
    began = time.perf_counter()
    while not count or time.perf_counter() - began < seconds:
        shown += block()
        count += 1
    _wait(device)
    return shown / (time.perf_counter() - began)


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _row(name: str, one: Contestant, base: float, peaks: dict[bool, float]) -> list[str]:
    rate = median(one.rates)
    return [
        name,
        one.about,
        f"{rate:,.1f}" if rate < 100 else f"{rate:,.0f}",
        f"{rate / base:.2f}x" if base else "",
        f"{one.flops / 1e9:.3g}",
        f"{100 * rate * one.flops / peaks[one.bf16]:.0f} %",
        f"{one.kept / 1e6:.2g}" if one.kept else "",
    ]


def _options() -> Namespace:
    options = ArgumentParser(description="What each model costs on this machine.")
    options.add_argument("--sizes", type=int, nargs="+", default=[32, 64, 128, 256])
    options.add_argument("--blocks", type=int, default=3)
    options.add_argument("--seconds", type=float, default=4.0, help="of a block, at least")
    options.add_argument("--only", nargs="+", default=[TUTORIAL, *MODELS])
    options.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    options.add_argument("--results", type=Path, default=BENCHMARKS)
    return options.parse_args()


if __name__ == "__main__":
    main()
