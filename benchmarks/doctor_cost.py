"""What a doctor costs: training signals in every step, the signals window, and a probe of samples
every 256 steps.

`python benchmarks/doctor_cost.py`. Each part is timed where it is, while the default model learns:
whole steps with and without training signals differ by less than the machine's own ups and downs.
Not counted are the means and norms that curves and the check for non-finite numbers need without a
doctor too."""

from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter
from typing import Any
from unittest.mock import patch

import torch
from images import prepared
from planning import as_planned
from record import record
from stored import BENCHMARKS, Table

from ganvas.doctor import detection
from ganvas.doctor.monitor import Monitor
from ganvas.doctor.signals import WINDOW
from ganvas.events import Step
from ganvas.runs.build import Build, monitors
from ganvas.training import TrainingState, signals

CASES = {"digits, 32x32": ("digits", 32), "emoji, 64x64": ("emoji", 64)}
BLOCK = signals.EVERY  # steps: every block has one that is measured in full
BUDGET = 600.0  # seconds, for which width and batch are planned
MEASURES = ("spread", "feature_spread", "copies", "update_ratio")


def main() -> None:
    """Measure, print and record."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=24, help="in each case")
    blocks = parser.parse_args().blocks
    rows = []
    for name, (source, size) in CASES.items():
        with as_planned(prepared(source, size), BUDGET) as plan:
            built = plan.build
            rows.append([name, *_row(measured(built, blocks), built.config.doctor.probe_every)])
        print(rows[-1], flush=True)
    heads = [
        "",
        "a step",
        "training signals (quartiles)",
        "signals window and detectors",
        "a probe",
        "probes, of a step",
    ]
    notes = (
        f"The default model as planned for {BUDGET / 60:g} minutes, {blocks} blocks of {BLOCK} "
        "steps, in shares of a step; medians."
    )
    record(BENCHMARKS, "doctor_cost", [Table(heads, rows)], notes=notes)


@dataclass(frozen=True)
class Block:
    """Seconds of some steps, of the training signals in them, and of the doctor after each; of one
    probe."""

    steps: float
    signals: float
    watching: float
    probe: float


def measured(built: Build, count: int) -> list[Block]:
    """Blocks of one run, but for the first."""
    state = built.initial_state()
    (doctor,) = monitors(built, state, {})
    return [_block(built, state, doctor) for _ in range(count + 1)][1:]


def _block(built: Build, state: TrainingState, doctor: Monitor) -> Block:
    game, loader, steps, watching = built.trainer, built.loader, 0.0, 0.0
    with _timed() as spent:
        for _ in range(BLOCK):
            began = perf_counter()
            scalars = game.step(state, loader, 0.0)
            numbers = torch.stack([*scalars.values()]).tolist()
            steps += perf_counter() - began
            state.step += 1
            named = dict(zip(scalars, numbers, strict=True))
            step = Step(state.step, state.images, 0.0, 0.0, named)
            began = perf_counter()
            doctor.signals.record(step.step, step.images, step.scalars)
            if not state.step % WINDOW:
                detection.detect_issues(doctor.issues, doctor.signals, doctor.incidents)
            watching += perf_counter() - began
    began = perf_counter()
    doctor.probe.measure(state)
    return Block(steps, sum(spent), watching, perf_counter() - began)


@contextmanager
def _timed() -> Iterator[list[float]]:
    """What training signals take while the block runs; on a processor nothing is still under way
    after."""
    spent: list[float] = []

    def timed(measure: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            began = perf_counter()
            found = measure(*given)
            spent.append(perf_counter() - began)
            return found

        return call

    with ExitStack() as patches:
        for name in MEASURES:
            patches.enter_context(patch.object(signals, name, timed(getattr(signals, name))))
        yield spent


def _row(blocks: list[Block], probe_every: int) -> list[str]:
    step = median(block.steps for block in blocks) / BLOCK
    low, middle, high = quantiles([100 * block.signals / block.steps for block in blocks], n=4)
    watching = median(block.watching / block.steps for block in blocks)
    probe = median(block.probe for block in blocks)
    return [
        f"{1000 * step:.1f} ms",
        f"**{middle:.2f} %** ({low:.2f} to {high:.2f})",
        f"{watching:.2%}",
        f"{probe:.2f} s every {probe_every} steps",
        f"{probe / probe_every / step:.2%}",
    ]


if __name__ == "__main__":
    main()
