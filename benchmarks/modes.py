"""Does a GAN find everything that there is? Points whose modes are known, and stacked digits.

`python benchmarks/modes.py`: the ring of 8 and the grid of 25 Gaussians, five seeds, on one thread
each; then 128,000 images of three digits as red, green and blue, `--for` the same time each, on
all cores. With and without the doctor. Interrupted, it goes on where it was; `--fresh` runs again.
"""

import json
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from itertools import product
from math import inf
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import torch
from broken_runs import PLAIN
from contestants import tutorial_dcgan
from images import as_tensor, prepared
from mode_counts import Stacked, modes, stacked_modes
from PIL import Image
from planning import as_planned, build_of
from record import GALLERY, ROOT, commit, contact_sheet, record, tiled
from stored import BENCHMARKS, Table
from torch import Tensor
from toy import GRID, RING, Mixture, Points, StackedDigits

from ganvas.config.training import seconds
from ganvas.evaluation.features import DigitsClassifier
from ganvas.events import GivenUp, Step, Treatment
from ganvas.imaging.plots import COLOURS, figure, suit_any_page
from ganvas.models import DEFAULT
from ganvas.models.sampling import sample_batches
from ganvas.models.spec import MODERN
from ganvas.runs.build import monitors
from ganvas.runs.plan import Plan
from ganvas.training import DivergedError, Goal, TrainingState, train
from ganvas.training.state import fixed_latents

FOLDER = ROOT / "benchmarks/results/modes"
MIXTURES: dict[str, Mixture] = {"ring": RING, "grid": GRID}
STACKED = "stacked"
SEEDS = range(5)
STREAM, SAMPLES, STACKED_SAMPLES, SHOWN = 9, 2500, 25_600, 500
SIDE = 32  # pixels
TUTORIAL = "a tutorial's DCGAN"
# A small fully connected network, without its usual norm; what differs is the game.
NETWORK: dict[str, Any] = {"width": 64, "latent": 2, "norm": "none"}
POINTS, STEPS = 256, 40_000  # in a step, and how many
GAMES: dict[str, dict[str, Any]] = {
    # The default model's pairs, with own rates, and penalties that wane: NOTES.md,
    # "Points on a ring and a grid".
    "penalties that wane": {
        **MODERN,
        "loss": "relativistic",
        "r1": 0.1,
        "r2": 0.1,
        "penalty_every": 4,
        "beta2": 0.999,
        "penalty_end": 1e-4,
        "lr_g": 2e-3,
        "lr_d": 2e-3,
        "decay_from": 0.5,
    },
    "without a penalty": PLAIN,
}
MODELS = ("fc", "dcgan", DEFAULT)
# A smoother discriminator and rates that fall: NOTES.md, "Stacked digits: what lowers the
# divergence".
SETTLING_GAME: dict[str, float] = {"r1": 1.0, "r2": 1.0, "decay_from": 0.33}
SETTLING = f"{DEFAULT}-settling"
STACKED_GAMES: dict[str, tuple[str, dict[str, float]]] = {
    **{model: (model, {}) for model in MODELS},
    SETTLING: (DEFAULT, SETTLING_GAME),
}
DOCTORS = ("treat", "off")
PUBLISHED_POINTS = [  # as collected in PacGAN (Lin et al., 2018)
    ("GAN, as VEEGAN's authors ran it", "1", "99.3 %", "3.3", "0.5 %"),
    ("Unrolled GAN", "7.6", "35.6 %", "23.6", "16 %"),
    ("VEEGAN", "8", "52.9 %", "24.6", "40 %"),
    ("PacGAN, two together", "7.9", "95.6 %", "23.8", "91.3 %"),
    ("PacGAN, four together", "7.8", "95.9 %", "24.8", "93.6 %"),
]
PUBLISHED_STACKED = [  # as collected in R3GAN (Huang et al., 2024) and PacGAN
    ("DCGAN", "99", "3.40"),
    ("Unrolled GAN", "48.7", "4.32"),
    ("VEEGAN", "150", "2.95"),
    ("WGAN-GP", "959", "0.73"),
    ("StyleGAN2", "940", "0.42"),
    ("PresGAN", "999.6", "0.115"),
    ("PacDCGAN2", "1,000", "0.06"),
    ("R3GAN", "1,000", "0.029"),
]


@dataclass(frozen=True)
class Found:
    """What one run found: `second` is the share of good samples, or the divergence of digits."""

    data: str
    contestant: str
    doctor: str
    seed: int
    modes: int
    second: float
    seconds: float
    seen: int
    commit: str
    treatments: list[str] = field(default_factory=list)
    shown: list[list[float]] = field(default_factory=list)  # some points, of the first seed


def main() -> None:
    """Run whatever has no result yet; draw and record the tables."""
    given = _options()
    now = commit()
    points = [d for d in given.data if d in MIXTURES]
    jobs = [
        (data, game, doctor, seed, now)
        for data, game, doctor, seed in product(points, GAMES, DOCTORS, SEEDS)
        if given.fresh or not _path(data, game, doctor, seed).is_file()
    ]
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        for done in as_completed([pool.submit(of_points, *job) for job in jobs]):
            _keep(done.result())
    if points:
        _report_points(given.results)
    if STACKED in given.data:
        data = f"{STACKED} {given.budget:g}s"
        for name, doctor in product(given.only, given.doctor):
            if name == TUTORIAL and doctor == "treat":
                continue
            if given.fresh or not _path(data, name, doctor, 0).is_file():
                _keep(of_stacked(data, name, doctor, given.budget, now))
        _report_stacked(data, given.budget, given.results)


def of_points(data: str, game: str, doctor: str, seed: int, now: str) -> Found:
    """One run on points, on one thread."""
    torch.set_num_threads(1)
    mixture = MIXTURES[data]
    images: Any = Points(mixture)
    content = {
        "model": "fc",
        "network": NETWORK,
        "game": GAMES[game],
        "doctor": {"doctor": doctor},
        "training": {"seed": seed, "batch": POINTS, "images": STEPS * POINTS},
    }
    state, treatments = _trained(Plan(build_of(content, images, bf16=False), STEPS * POINTS, 1))
    samples = generated_images(state, SAMPLES).flatten(1)
    found = modes(samples, torch.from_numpy(mixture.centres), mixture.spread)
    return Found(
        data, game, doctor, seed, found.found, found.quality, state.seconds, state.images, now,
        treatments, [] if seed else [[round(x, 3) for x in p] for p in samples[:SHOWN].tolist()],
    )  # fmt: skip


def of_stacked(data: str, name: str, doctor: str, budget: float, now: str) -> Found:
    """One run on stacked digits, as long as that, with nothing set but the model."""
    images: Any = StackedDigits(prepared("digits", SIDE))
    if name == TUTORIAL:
        trained = tutorial_dcgan(as_tensor(images), budget, 0)
        samples, took = trained.sample(STACKED_SAMPLES, 1), (trained.seconds, trained.seen)
        treatments: list[str] = []
    else:
        model, game = STACKED_GAMES[name]
        with as_planned(images, budget, model, doctor, game) as plan:
            state, treatments = _trained(plan)
            samples = generated_images(state, STACKED_SAMPLES)
        took = state.seconds, state.images
    place = _path(data, name, doctor, 0).with_suffix(".webp")
    place.parent.mkdir(parents=True, exist_ok=True)
    tiled(samples).save(place, quality=90)
    found = read(samples)
    return Found(data, name, doctor, 0, found.found, found.divergence, *took, now, treatments)


def read(samples: Tensor) -> Stacked:
    """What the digits classifier reads in three channels, (N, 3, H, W)."""
    reader = DigitsClassifier.load()
    return stacked_modes(
        torch.stack([reader.read(samples[:, [channel]]) for channel in range(3)], 1)
    )


def _trained(plan: Plan) -> tuple[TrainingState, list[str]]:
    """A run to its end, and what the doctor did."""
    build, training = plan.build, plan.build.config.training
    state, treatments = build.initial_state(), list[str]()
    doctor, goal = monitors(build, state, {}), Goal(plan.images)
    events = train(build.trainer, state, build.loader, goal, training.ema, doctor)
    try:
        for event in events:
            match event:
                case Treatment():
                    treatments.append(f"{event.step}: {event.issue}")
                case GivenUp():
                    break
                case Step(seconds=seconds) if seconds >= (training.budget or inf):
                    break
    except DivergedError:
        treatments.append(f"{state.step}: diverged")
    return state, treatments


def generated_images(state: TrainingState, count: int) -> Tensor:
    """(count, C, H, W) of latents that no run has watched."""
    drawn = fixed_latents(state, STREAM, count)
    return sample_batches(state.average, drawn)


def _report_points(results: Path) -> None:
    rows, found = [], _kept()
    for game, doctor in product(GAMES, DOCTORS):
        cells = [f"fc, {game}", {"treat": "with", "off": "without"}[doctor]]
        for data in MIXTURES:
            runs = [one for s in SEEDS if (one := found.get((data, game, doctor, s)))]
            if not runs:
                return
            cells.append(_middle([one.modes for one in runs], "{:.3g}"))
            cells.append(_middle([100 * one.second for one in runs], "{:.1f} %"))
        cells.append(f"{median(one.seconds for one in runs):.0f} s")
        rows.append(cells)
    rows += [[f"{name} (published)", "", *of, ""] for name, *of in PUBLISHED_POINTS]
    heads = ["", "doctor", "ring: modes of 8", "good", "grid: modes of 25", "good", "one thread"]
    notes = (
        f"{SAMPLES:,} samples; a mode is found with 20 within three standard deviations, which is "
        f"also what good samples are; medians, and least and most of {len(SEEDS)} seeds; "
        f"{STEPS:,} steps of {POINTS}. Published networks and budgets differ."
    )
    _draw({k: v for k, v in found.items() if k[0] in MIXTURES and k[3] == 0})
    record(
        results,
        "modes",
        [Table(heads, rows)],
        variant="points",
        title="Modes of points",
        notes=notes,
        commits=[one.commit for k, one in found.items() if k[0] in MIXTURES],
    )


def _draw(found: Mapping[tuple[str, str, str, int], Found]) -> None:
    """Points of the first seed, real ones grey."""
    columns = list(product(GAMES, DOCTORS))
    sheet = figure(2.6 * len(columns), 5.6)
    axes = sheet.subplots(len(MIXTURES), len(columns))
    for row, (data, mixture) in enumerate(MIXTURES.items()):
        real = Points(mixture, SHOWN).points
        for column, (game, doctor) in enumerate(columns):
            axis, one = axes[row, column], found[data, game, doctor, 0]
            axis.scatter(*real.T, s=10, color="#cccccc")
            axis.scatter(*zip(*one.shown, strict=True), s=3, color=COLOURS[1])
            axis.set_aspect("equal")
            axis.set_xticks([])
            axis.set_yticks([])
            said = "doctor" if doctor == "treat" else "no doctor"
            axis.set_title(f"{game}\n{said}: {one.modes} modes, {one.second:.0%} good", fontsize=8)
    suit_any_page(sheet)
    sheet.savefig(GALLERY / "modes_points.png", dpi=110)


def _report_stacked(data: str, budget: float, results: Path) -> None:
    found = {k: one for k, one in _kept().items() if k[0] == data}
    rows = [
        [
            one.contestant,
            {"treat": "with", "off": "without"}[one.doctor],
            f"{one.seen / one.seconds:,.0f}",
            f"**{one.modes:,}**",
            f"**{one.second:.3f}**",
            "; ".join(one.treatments),
        ]
        for one in found.values()
    ]
    images: Any = StackedDigits(prepared("digits", SIDE), STACKED_SAMPLES)
    real = as_tensor(images)
    best = read(real)
    rows.append(["real images", "", "", f"{best.found:,}", f"{best.divergence:.3f}", ""])
    rows += [
        [f"{name} (published)", "", "", modes, kl, ""] for name, modes, kl in PUBLISHED_STACKED
    ]
    heads = ["", "doctor", "images/s", "modes of 1,000", "KL", "treatments"]
    said = " ".join(
        f"--{name.replace('_', '-')} {value:g}" for name, value in SETTLING_GAME.items()
    )
    settling = f"; {SETTLING} is `{said}`" if any(k[1] == SETTLING for k in found) else ""
    notes = (
        f"{STACKED_SAMPLES:,} samples of {SIDE}x{SIDE}, read by the digits classifier; "
        f"{budget / 60:g} minutes on all cores, seed 0, nothing set but model and time{settling}. "
        "Published figures are of MNIST, other networks and classifiers, and mostly of days on "
        "GPUs."
    )
    tiles = {
        f"{one.contestant}, {'doctor' if one.doctor == 'treat' else 'no doctor'}": Image.open(
            _path(*key).with_suffix(".webp")
        )
        for key, one in found.items()
    }
    contact_sheet(GALLERY / f"modes_{data.replace(' ', '_')}.png", {"real": tiled(real), **tiles})
    record(
        results,
        "modes",
        [Table(heads, rows)],
        variant=f"stacked_{budget:g}s",
        title=f"Modes of stacked digits, {budget / 60:g} minutes",
        notes=notes,
        commits=[one.commit for one in found.values()],
    )


def _middle(values: list[float], form: str) -> str:
    low, high = form.format(min(values)), form.format(max(values))
    spread = "" if low == high else f" ({low} to {high})"
    return f"**{form.format(median(values))}**{spread}"


def _kept() -> dict[tuple[str, str, str, int], Found]:
    """All results that there are."""
    found = [Found(**json.loads(path.read_text())) for path in sorted(FOLDER.glob("*.json"))]
    return {(one.data, one.contestant, one.doctor, one.seed): one for one in found}


def _keep(one: Found) -> None:
    path = _path(one.data, one.contestant, one.doctor, one.seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(one), indent=1) + "\n")
    second = f"KL {one.second:.3f}" if one.data.startswith(STACKED) else f"{one.second:.1%} good"
    print(
        f"{one.data}, {one.contestant}, doctor {one.doctor}, seed {one.seed}: {one.modes} modes, "
        f"{second}, {one.seconds:.0f} s {'; '.join(one.treatments)}",
        flush=True,
    )


def _path(data: str, contestant: str, doctor: str, seed: int) -> Path:
    word = re.sub(r"\W+", "_", f"{data} {contestant}")
    return FOLDER / f"{word}_{doctor}_{seed}.json"


def _options() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    data = [*MIXTURES, STACKED]
    parser.add_argument("--data", nargs="+", choices=data, default=data)
    parser.add_argument("--for", dest="budget", type=seconds, default=1200.0, help="stacked digits")
    names = [TUTORIAL, *MODELS]
    parser.add_argument(
        "--only", nargs="+", choices=[*names, SETTLING], default=names, help="stacked digits"
    )
    parser.add_argument("--doctor", nargs="+", choices=DOCTORS, default=DOCTORS, help="likewise")
    parser.add_argument("--fresh", action="store_true", help="run again what has a result")
    parser.add_argument("--results", type=Path, default=BENCHMARKS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
