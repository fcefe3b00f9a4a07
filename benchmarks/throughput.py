"""Images per second of the same dcgan trained by ganvas and by a plain fp32 loop.

Same widths, batch and loss; the contestants alternate in blocks of steps, and a block's ratio is
taken against its neighbour, so that a machine whose speed drifts drifts for both. Also the share of
a step that loading images takes, and what events, metrics log and progress bar add to bare steps.

    python benchmarks/throughput.py [--blocks 12] [--seconds 2.5]
"""

import os
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import torch
from contestants import tutorial_dcgan_steps
from images import as_tensor, prepared
from record import record
from rich.console import Console
from stored import BENCHMARKS, Table

import ganvas
from ganvas.cli.progress import LiveProgress
from ganvas.cli.show import View
from ganvas.config import AdversarialSettings, Request, resolve
from ganvas.data import ImageDataset
from ganvas.data.loader import Loader
from ganvas.events import Step
from ganvas.models import GenerativeModel, build
from ganvas.models.dcgan import DCGANSettings
from ganvas.training import Goal, TrainingState, choose_precision, ema, train
from ganvas.training.adversarial import AdversarialTrainer
from ganvas.training.callbacks.log import MetricsLog
from ganvas.training.optim import Scalars

CPU = torch.device("cpu")
CASES = {"digits, 32x32": ("digits", 32, 64, 128), "emoji, 64x64": ("emoji", 64, 64, 64)}
TARGET, MAX_LOADING, MAX_REPORTING = 1.4, 0.03, 0.02
Steps = Iterator[object]  # each next() is one training step


@dataclass(frozen=True)
class Case:
    """What all contestants of a row train on, and with."""

    source: str
    images: ImageDataset
    width: int
    batch: int


def plain(case: Case) -> Steps:
    """The loop of a tutorial."""
    return tutorial_dcgan_steps(as_tensor(case.images), case.batch)


def product(case: Case, folder: Path) -> Steps:
    """ganvas as people run it: metrics log, checkpoints, and a live bar on a terminal."""
    with Path(os.devnull).open("w") as nowhere:
        console = Console(file=nowhere, force_terminal=True)
        with LiveProgress(console, live=True) as bar:
            view = View(console, bar, folder)
            size, images = f"{case.images.shape[1]}", 10**9
            events = ganvas.train(
                case.source, folder, size=size, width=case.width, batch=case.batch, images=images
            )
            for event in events:
                view.see(event)
                if isinstance(event, Step):
                    yield event


def bare(case: Case) -> Steps:
    """The same steps and averages with nobody watching."""
    game, state, loader = _game(case)
    while True:
        yield game.step(state, loader, 0.0)
        ema.update(state.average, state.model.generator, 0.99)


def _game(case: Case) -> tuple[AdversarialTrainer, TrainingState, Loader]:
    torch.manual_seed(0)
    model = build("dcgan", DCGANSettings(width=case.width), case.images.shape)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in stubs
    shape, count = case.images.shape, len(case.images)
    # The peer has the same losses: neither a penalty nor augmentation.
    plain = {"game": {"r1": 0.0, "augment": "none"}}
    rules = resolve(Request(case.source, "dcgan", plain), shape, count).game
    assert isinstance(rules, AdversarialSettings)
    game = AdversarialTrainer(rules, choose_precision("auto", CPU))
    return game, game.start(model, 0), Loader(case.images, case.batch, CPU)


def rates(contestants: dict[str, Steps], blocks: int, seconds: float) -> dict[str, list[float]]:
    """Steps a second of every contestant in every block, in turn."""
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for block in range(-1, blocks):  # the first is a warm-up
        for name, steps in contestants.items():
            rate = _rate(steps, seconds)
            if block >= 0:
                found[name].append(rate)
    return found


def _rate(steps: Steps, seconds: float) -> float:
    next(steps)  # what the last contestant left in the caches is not this one's fault
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        next(steps)
        count += 1
    return count / (time.perf_counter() - began)


class Still:
    """A game that takes no time, to see what everything around it takes."""

    round = 1

    def __init__(self, scalars: Scalars) -> None:
        self.scalars = scalars

    def start(self, model: GenerativeModel, seed: int) -> TrainingState:
        """Nothing changes, so there is nothing to begin."""
        raise TypeError("a still game has no beginning")

    def step(self, state: TrainingState, loader: Loader, fraction: float) -> Scalars:
        """As many scalars as a real step reports."""
        state.images += loader.count
        return self.scalars


def reporting_seconds(case: Case, count: int = 4000) -> float:
    """Seconds a step of loop, events, metrics log and live bar, in a run that lasts a minute."""
    game, state, loader = _game(replace(case, width=4))  # the averaging belongs to training
    still = Still(game.step(state, loader, 0.0))
    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("w") as nowhere:
        console = Console(file=nowhere, force_terminal=True)
        metrics_log = MetricsLog.of_run(Path(folder) / "metrics.jsonl", count * case.batch)
        with LiveProgress(console, live=True) as bar:
            view = View(console, bar, None)
            goal = Goal(images=(count + 1) * case.batch)
            began = time.perf_counter()
            for event in train(still, state, loader, goal, 0.05, [metrics_log]):
                view.see(event)
            return (time.perf_counter() - began) / count


def loading_seconds(case: Case, count: int = 50) -> float:
    """Seconds that a batch takes from the cache to the network's input."""
    _, state, loader = _game(case)
    return median(_seconds(lambda: state.next_batch(loader)) for _ in range(count))


def _seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def row(name: str, case: Case, blocks: int, seconds: float) -> list[str]:
    """One line of the table."""
    with tempfile.TemporaryDirectory() as folder:
        contestants = {
            "plain": plain(case),
            "product": product(case, Path(folder) / "run"),
            "bare": bare(case),
        }
        found = rates(contestants, blocks, seconds)
    paired = [a / b for a, b in zip(found["product"], found["plain"], strict=True)]
    reporting = reporting_seconds(case) * median(found["bare"])
    loading = loading_seconds(case) * median(found["bare"])
    return [
        f"{name}, width {case.width}, batch {case.batch}",
        f"{case.batch * median(found['plain']):,.0f}",
        f"{case.batch * median(found['product']):,.0f}",
        f"**{median(paired):.2f}x** ({min(paired):.2f} to {max(paired):.2f})",
        f"{100 * loading:.2f} %",
        f"{100 * reporting:.2f} %",
    ]


def main() -> None:
    """Measure, print and record."""
    options = ArgumentParser(description=__doc__)
    options.add_argument("--blocks", type=int, default=12)
    options.add_argument("--seconds", type=float, default=2.5, help="of a block")
    options.add_argument("--results", type=Path, default=BENCHMARKS)
    given = options.parse_args()
    heads = ["", "plain fp32, images/s", "ganvas, images/s", "ratio", "loading", "reporting"]
    rows = [
        row(name, Case(source, prepared(source, size), width, batch), given.blocks, given.seconds)
        for name, (source, size, width, batch) in CASES.items()
    ]
    wanted = (
        f"at least {TARGET}x, loading at most {100 * MAX_LOADING:.0f} % of a step, "
        f"events, bar and metrics log at most {100 * MAX_REPORTING:.0f} %."
    )
    record(given.results, "throughput", [Table(heads, rows)], wanted=wanted)


if __name__ == "__main__":
    main()
