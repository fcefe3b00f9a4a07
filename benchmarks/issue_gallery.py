"""An image of each issue for its page in docs/doctor: runs broken on purpose.

`python benchmarks/issue_gallery.py [--only ISSUE ...]`. Each run is only watched, not
treated; the script fails where the issue whose image it is is not seen.
"""

from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from broken_runs import BROKEN_RUNS, CPU, PLAIN, TOY, BrokenRun, Few, build_of_case, digits, emoji
from record import ROOT
from toy import Points

from ganvas.augmentation.diffaugment import shift
from ganvas.data.loader import Loader
from ganvas.doctor import ISSUES
from ganvas.doctor.detectors import (
    leaking,
    memorising,
    mode_collapse,
    too_fast,
    too_strong,
    upside_down,
)
from ganvas.events import Diagnosis, Event
from ganvas.imaging.grid import grid
from ganvas.imaging.plots import COLOURS, figure, suit_any_page
from ganvas.imaging.tensors import to_bytes
from ganvas.models.sampling import sample_batches
from ganvas.runs.build import Build, monitors
from ganvas.runtime.rng import Stream
from ganvas.training import DivergedError, Goal, TrainingState, train
from ganvas.training.callbacks.samples import PREVIEW_STREAM
from ganvas.training.state import fixed_latents

FOLDER = ROOT / "docs/doctor"
COLUMNS, ROWS, POINTS = 8, 5, 600
FAULTY, WELL, LIMIT = COLOURS[1], COLOURS[0], "#777777"
CHANCE = 2 * float(np.log(2))


class Mixed(Few):
    """Images of which every second has lost its colours."""

    def batch(self, indices: Any) -> Any:
        """The images of these numbers."""
        found = super().batch(indices)
        grey = np.asarray(indices) % 2 == 0
        found[grey] = found[grey].mean(3, keepdims=True).astype(np.uint8)
        return found


class Moved(Few):
    """Images that are moved before they are learnt from: real ones alone."""

    def __init__(self, whole: Any) -> None:
        super().__init__(whole, np.arange(len(whole)))
        self.stream = Stream(torch.Generator().manual_seed(0))

    def batch(self, indices: Any) -> Any:
        """The images of these numbers, elsewhere each time."""
        found = torch.from_numpy(super().batch(indices)).permute(0, 3, 1, 2)
        return shift([found], self.stream)[0].permute(0, 2, 3, 1).numpy()


@dataclass(frozen=True)
class Case:
    """A run broken on purpose, a healthy one like it, and the number that tells them apart."""

    broken: BrokenRun
    signal: str
    axis: str
    limit: float | None = None  # beyond which it is an issue
    well: BrokenRun | None = None
    log: bool = False
    probe: bool = False  # whether the number is found in probes
    shows_data: bool = False
    learnt: Callable[[Any], Any] = lambda images: images  # in the broken run, unknown to the doctor


DCGAN: dict[str, Any] = {"healthy": digits, "model": "dcgan", "network": {"width": 16}}
BCE = {"loss": "bce", "r1": 0.0, "r2": 0.0, "augment": "none"}
HEALTHY = BrokenRun(digits, steps=600)
HEALTHY_DCGAN = BrokenRun(**DCGAN, rules=BCE, steps=600)


def _fewer(count: int) -> Callable[[Any], Any]:
    return lambda whole: Few(whole, np.arange(count))


CASES = {
    "bad-data": Case(
        BrokenRun(
            emoji, network={"blocks": 0}, steps=300, shown=lambda w: Mixed(w, np.arange(1000))
        ),
        "", "", shows_data=True,
    ),
    "too-few": Case(replace(BROKEN_RUNS["60 images"], steps=1500), "", "", shows_data=True),
    "too-fast": Case(
        replace(BROKEN_RUNS["discriminator's rate x30"], steps=600),
        "update_d", "relative weight update of a step", too_fast.FAST, HEALTHY, log=True,
    ),
    "divergence": Case(
        replace(BROKEN_RUNS["NaN"], steps=600),
        "loss_d", "discriminator loss", None, HEALTHY,
    ),
    "upside-down": Case(
        replace(BROKEN_RUNS["labels swapped"], steps=600),
        "r_t", "r_t: 1 if every real image is scored as real", upside_down.REVERSED, HEALTHY,
    ),
    "at-chance": Case(
        BrokenRun(**DCGAN, rules=BCE, factors={"lr_d": 1e-5}, steps=600),
        "loss_d", "discriminator loss", CHANCE, HEALTHY_DCGAN,
    ),
    "too-strong": Case(
        BrokenRun(**DCGAN, rules=BCE, factors={"lr_g": 0.02}, steps=600),
        "loss_d", "discriminator loss", too_strong.LOW * CHANCE, HEALTHY_DCGAN, log=True,
    ),
    "mode-collapse": Case(
        BrokenRun(rules=PLAIN, **(TOY | {"steps": 6000})),
        "uneven", "share of samples in clusters generated too often", mode_collapse.UNEVEN,
        replace(BROKEN_RUNS["healthy ring"], steps=6000), probe=True,
    ),
    "oscillation": Case(
        BrokenRun(
            rules=PLAIN | {"lr_g": 1e-2, "lr_d": 1e-3, "beta1": 0.9}, **(TOY | {"steps": 1600})
        ),
        "r_t", "r_t: 1 if every real image is scored as real", None,
        replace(BROKEN_RUNS["healthy ring"], steps=1600),
    ),
    "memorising": Case(
        BrokenRun(**DCGAN, rules=BCE, shown=_fewer(150), steps=2500),
        "gap", "training images scored higher, in standard deviations", memorising.GAP,
        replace(HEALTHY_DCGAN, steps=2500), probe=True,
    ),
    "leaking": Case(
        BrokenRun(digits, rules={"augment": "shift", "augment_share": 0.0}, steps=1500),
        "moved", "shift beyond that of real images, in sides", leaking.LEAKS["moved"],
        BrokenRun(digits, rules={"augment": "shift"}, steps=1500), probe=True, learnt=Moved,
    ),
    "plateau": Case(
        BrokenRun(**DCGAN, rules=BCE, factors={"lr_g": 0.003, "lr_d": 0.003}, steps=5000),
        "score", "KID (kernel distance) of thumbnails", None,
        replace(HEALTHY_DCGAN, steps=5000), probe=True,
    ),
}  # fmt: skip


@dataclass
class Watched:
    """A run that is over."""

    built: Build
    state: TrainingState
    curve: list[tuple[int, float]] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)  # the steps at which it was named


def main() -> None:
    """Draw what is asked for, or all."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=[*CASES], default=[*CASES])
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in parser.parse_args().only:
        case = CASES[name]
        broken = watched(name, case, case.broken)
        if not broken.seen:
            raise SystemExit(f"{name} is not seen in its own run.")
        well = watched(name, case, case.well) if case.well else None
        draw(name, case, broken, well, FOLDER / f"{name}.png")
        print(f"{name}: seen at step {broken.seen[0]}.", flush=True)


def watched(name: str, case: Case, broken: BrokenRun) -> Watched:
    """A run from its start to its end, with a doctor who knows one issue and only says so."""
    torch.manual_seed(0)
    built = build_of_case(broken, 0, "advise")
    state = built.initial_state()
    doctor = monitors(built, state, {})
    doctor[0].issues = {name: ISSUES[name]}
    images = built.config.training.images
    assert images is not None, "a run says how long"
    found, loader = Watched(built, state), built.loader
    if broken is case.broken:
        loader = Loader(case.learnt(built.parts[0]), broken.batch, CPU)
    events = train(broken.harm(built.trainer), state, loader, Goal(images), 0.05, doctor)
    found.seen += [e.step for e in _until_diverged(events) if isinstance(e, Diagnosis)]
    window = doctor[0].signals
    seen = window.probes if case.probe else window.entries
    found.curve = [(e.step, e.values[case.signal]) for e in seen if case.signal in e.values]
    return found


def _until_diverged(events: Iterator[Event]) -> Iterator[Event]:
    try:
        yield from events
    except DivergedError:
        return


def draw(name: str, case: Case, broken: Watched, well: Watched | None, path: Path) -> None:
    """What it looks like on the left, and on the right the number, or the images learnt from."""
    sheet = figure(10, 3.6)
    left, right = sheet.subplots(1, 2, width_ratios=[1.25, 1])
    if isinstance(broken.built.dataset, Points):
        _scatter(left, broken)
    else:
        left.imshow(_sampled(broken), interpolation="nearest", cmap="gray")
        left.axis("off")
    left.set_title(f"samples after {broken.state.step:,} steps", fontsize=9)
    if case.shows_data:
        shown = np.asarray(broken.built.dataset.batch(np.arange(ROWS * COLUMNS)))
        right.imshow(grid(shown, COLUMNS).squeeze(), interpolation="nearest", cmap="gray")
        right.axis("off")
        right.set_title("training images", fontsize=9)
    else:
        _curves(right, name, case, broken, well)
    suit_any_page(sheet)
    sheet.savefig(path, dpi=100)


def _curves(axis: Any, name: str, case: Case, broken: Watched, well: Watched | None) -> None:
    for run, colour, label in ((well, WELL, "a healthy run"), (broken, FAULTY, name)):
        if run and run.curve:
            axis.plot(*zip(*run.curve, strict=True), color=colour, label=label, linewidth=1.6)
    if case.limit is not None:
        axis.axhline(case.limit, color=LIMIT, linestyle="--", linewidth=1)
    if case.log:
        axis.set_yscale("log")
    axis.set_xlabel("steps")
    axis.set_title(case.axis, fontsize=9)
    axis.legend(frameon=False, fontsize=8)
    axis.grid(alpha=0.2)


def _sampled(run: Watched) -> Any:
    state = run.state
    images = sample_batches(state.average, fixed_latents(state, PREVIEW_STREAM, ROWS * COLUMNS))
    return grid(to_bytes(images.nan_to_num(0)), COLUMNS).squeeze()


def _scatter(axis: Any, run: Watched) -> None:
    real = run.built.dataset.batch(np.arange(POINTS)).reshape(POINTS, 2) / 127.5 - 1
    fake = sample_batches(
        run.state.average, fixed_latents(run.state, PREVIEW_STREAM, POINTS)
    ).flatten(1)
    axis.scatter(*real.T, s=14, color="#bbbbbb", label="real")
    axis.scatter(*fake.T, s=4, color=FAULTY, label="generated")
    axis.set_aspect("equal")
    axis.legend(frameon=False, fontsize=8, loc="center")


assert CASES.keys() == ISSUES.keys(), "every issue has an image"

if __name__ == "__main__":
    main()
