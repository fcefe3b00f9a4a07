"""What a sweep is worth, for the same time: where the usual learning rates suit, and where they are
far off, as those of new images or of a new model may be.

`python benchmarks/sweep_worth.py`: digits at 32x32, ten minutes a run, with the doctor, as a user
calls ganvas.train and ganvas.sweep; `--minutes 60` for longer ones. Interrupted, it goes on where
it was; `--fresh` runs again. Two commands with other `--only` or `--ways` may run at once, each
with OMP_NUM_THREADS=1.
"""

import json
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from as_user import left_by
from images import as_tensor, prepared
from record import ROOT, commit, record
from score import SAMPLE_SEED, Scorer
from stored import BENCHMARKS, Table

import ganvas
from ganvas.evaluation.features import DigitsClassifier
from ganvas.models import DEFAULT, MODELS
from ganvas.sweep import sweep

FOLDER = ROOT / "benchmarks/results/sweep_worth"
SIDE, SAMPLES, SEED, TRIALS = 32, 2000, 0, 8
# What is asked for by name stays in a sweep, so it is the recipe that is wrong.
RATES = {
    "as it is": 1.0, "both rates a sixth": 1 / 6, "both rates six times": 6.0,
    "lr_d fifty times, lr_g a fiftieth": 50.0,
}  # fmt: skip
BALANCE = ("lr_d fifty times, lr_g a fiftieth",)
WAYS = ("no sweep", "sweep")


def main() -> None:
    """Run whatever has no result yet; print and record the table."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--only", nargs="+", choices=RATES, default=[*RATES])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=[*WAYS])
    parser.add_argument("--fresh", action="store_true", help="run again what has a result")
    options = parser.parse_args()
    scorer = Scorer(DigitsClassifier.load(), as_tensor(prepared("digits", SIDE)), SAMPLES)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for recipe in options.only:
        for way in options.ways:
            path = _place(options.minutes, recipe, way)
            if options.fresh or not path.is_file():
                with _recipe(recipe):
                    found = _run(way, 60 * options.minutes, scorer)
                path.write_text(json.dumps(found | {"commit": commit()}, indent=1) + "\n")
                print(recipe, way, found, flush=True)
    _record()


def _place(minutes: int, recipe: str, way: str) -> Path:
    return FOLDER / f"{minutes}m_{recipe}_{way}.json".replace(" ", "_").replace(",", "")


def _run(way: str, seconds: int, scorer: Scorer) -> dict[str, Any]:
    """The distance that is reached in so many seconds, and what was said."""
    if way == "no sweep":
        usual = {"size": str(SIDE), "budget": seconds, "seed": SEED}
        left = left_by("digits", usual, scorer, torch.zeros(SAMPLES, 1, SIDE, SIDE))
        return {"distance": left.distance, "sentences": left.sentences}
    with tempfile.TemporaryDirectory() as folder:
        given = {"size": str(SIDE), "seed": SEED, "features": "digits"}
        steps = sweep("digits", folder, trials=TRIALS, budget=float(seconds), given=given)
        for _ in steps:
            pass
        images = ganvas.load(f"{folder}/best").sample(SAMPLES, seed=SAMPLE_SEED)
        report = (Path(folder) / "report.md").read_text().splitlines()
    return {"distance": scorer.score(images)["FD"], "sentences": report}


def _record() -> None:
    rows, commits = [], []
    for minutes in (10, 60):
        for recipe in RATES:
            places = [_place(minutes, recipe, way) for way in WAYS]
            if all(path.is_file() for path in places):
                found = [json.loads(path.read_text()) for path in places]
                commits += [one["commit"] for one in found]
                figures = [f"{one['distance']:,.3g}" for one in found]
                rows.append([f"{minutes} minutes, {recipe}", *figures])
    heads = ["FD", "no sweep", f"`ganvas sweep --trials {TRIALS}`"]
    notes = (
        f"Digits at {SIDE}x{SIDE}, the sweep within the time, seed {SEED}, with the doctor; "
        f"Fréchet distance of {SAMPLES:,} samples through the digits classifier, by what the "
        f"recipe of `{DEFAULT}` says."
    )
    record(BENCHMARKS, "sweep_worth", [Table(heads, rows)], notes=notes, commits=commits)


@contextmanager
def _recipe(name: str) -> Iterator[None]:
    """The default model's recipe with other learning rates, while the block runs."""
    spec, factor = MODELS[DEFAULT], RATES[name]
    game = dict(spec.recipe["game"])
    other = 1 / factor if name in BALANCE else factor
    game |= {"lr_d": game["lr_d"] * factor, "lr_g": game["lr_g"] * other}
    with patch.dict(MODELS, {DEFAULT: replace(spec, recipe={**spec.recipe, "game": game})}):
        yield


if __name__ == "__main__":
    main()
