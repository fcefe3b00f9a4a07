"""What a doctor costs: vitals in every step, charts, and a look at the pictures every 256 steps.

`python benchmarks/doctor_cost.py`. Steps with and without vitals alternate in blocks, and a block's
ratio is taken against its neighbour; charts and looks are timed in the same run.
"""

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from time import perf_counter
from unittest.mock import patch

import torch
from pictures import prepared
from planning import as_planned
from record import RESULTS, append_table, markdown

from ganvas.doctor.watching import Doctor
from ganvas.events import Step
from ganvas.setting_up import Setup, attending
from ganvas.training import TrainingState, vitals

CASES = {"digits, 32x32": ("digits", 32), "emoji, 64x64": ("emoji", 64)}
BLOCK = vitals.EVERY  # steps: every block has one that is measured in full
BUDGET = 600.0  # seconds, for which width and batch are planned
NOTHING = torch.zeros(())


def main() -> None:
    """Measure, print, append."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=60, help="of blocks, in each case")
    pairs = parser.parse_args().pairs
    rows = []
    for name, (source, size) in CASES.items():
        with as_planned(prepared(source, size), BUDGET) as setup:
            without, costs, watching, looking = measured(setup, pairs)
        step = median(without) / BLOCK
        exam = looking / setup.settings.doctor.exam_every
        rows.append(
            [
                name,
                f"{1000 * step:.1f} ms",
                f"**{100 * median(costs):+.2f} %** ({100 * _low(costs):+.2f} to "
                f"{100 * _high(costs):+.2f})",
                f"{100 * watching / step:.2f} %",
                f"{looking:.2f} s, {100 * exam / step:.2f} %",
            ]
        )
        print(rows[-1], flush=True)
    heads = ["", "a step", "vitals (quartiles)", "chart and detectors", "a look, every 256 steps"]
    body = (
        f"The default model as planned for {BUDGET / 60:g} minutes, {pairs} pairs of blocks of "
        f"{BLOCK} steps, in shares of a step.\n\n{markdown(heads, rows)}"
    )
    append_table(RESULTS, "What a doctor costs", body)


def measured(setup: Setup, pairs: int) -> tuple[list[float], list[float], float, float]:
    """Seconds of blocks without vitals, what vitals add in shares of those, and seconds of a step
    for the chart and of one look."""
    state = setup.start()
    (doctor,) = attending(setup, state, {})
    without, costs = list[float](), list[float]()
    watching = list[float]()
    _block(setup, state, [])
    for number in range(pairs):
        if number % 2:  # whoever comes second finds a warmer machine: by turns
            with _no_vitals():
                bare = _block(setup, state, [])
            full = _block(setup, state, watching, doctor)
        else:
            full = _block(setup, state, watching, doctor)
            with _no_vitals():
                bare = _block(setup, state, [])
        without.append(bare)
        costs.append(full / bare - 1)
    began = perf_counter()
    doctor.examiner.examine(state)
    return without, costs, sum(watching) / len(watching), perf_counter() - began


def _block(
    setup: Setup, state: TrainingState, watching: list[float], doctor: Doctor | None = None
) -> float:
    """Seconds of the steps alone; what the doctor takes for each is added to `watching`."""
    game, feed, taken = setup.game, setup.feed, 0.0
    for _ in range(BLOCK):
        began = perf_counter()
        scalars = game.step(state, feed, 0.0)
        numbers = torch.stack([*scalars.values()]).tolist()
        taken += perf_counter() - began
        state.step += 1
        if doctor is not None:
            step = Step(
                1 + state.step, state.images, 0.0, 0.0, dict(zip(scalars, numbers, strict=True))
            )
            began = perf_counter()
            doctor.chart.record(step.step, step.images, step.scalars)
            if not state.step % 16:
                doctor._found()
            watching.append(perf_counter() - began)
    return taken


@contextmanager
def _no_vitals() -> Iterator[None]:
    """Steps as they would be if nothing were measured."""
    due = patch.object(vitals, "due", lambda step: False)
    with due, patch.object(vitals, "spread", lambda pictures: NOTHING):
        yield


def _low(values: list[float]) -> float:
    return sorted(values)[len(values) // 4]


def _high(values: list[float]) -> float:
    return sorted(values)[-1 - len(values) // 4]


if __name__ == "__main__":
    main()
