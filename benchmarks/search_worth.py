"""What a search for hyperparameters is worth, for the same time: where the usual learning rates
suit, and where they are far off, as those of new images or of a new model may be.

`python benchmarks/search_worth.py`: digits at 32x32, ten minutes a run, with the doctor, as a user
calls ganvas.train. Interrupted, it goes on where it was; `--fresh` runs again.
"""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from typing import Any
from unittest.mock import patch

import torch
from as_user import left_by
from images import as_tensor, prepared
from record import ROOT, commit, record
from score import Scorer
from stored import BENCHMARKS, Table

from ganvas.evaluation.features import DigitsClassifier
from ganvas.models import DEFAULT, MODELS

FOLDER = ROOT / "benchmarks/results/search_worth"
BUDGET, SIDE, SAMPLES, SEEDS = 600, 32, 2000, range(1)
TRIALS = 8
# What is asked for by name stays in a search, so it is the recipe that is wrong. A search tries
# learning rates that are up to four times higher and lower.
RATES = {"as it is": 1.0, "both rates a sixth": 1 / 6, "both rates six times": 6.0}
SEARCHES: dict[str, dict[str, Any]] = {
    "no search": {},
    f"--trials {TRIALS}": {"trials": TRIALS},
}


def main() -> None:
    """Run whatever has no result yet; print and record the table."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="run again what has a result")
    fresh = parser.parse_args().fresh
    scorer = Scorer(DigitsClassifier.load(), as_tensor(prepared("digits", SIDE)), SAMPLES)
    nothing = torch.zeros(SAMPLES, 1, SIDE, SIDE)
    FOLDER.mkdir(parents=True, exist_ok=True)
    kept: dict[tuple[str, str, int], dict[str, Any]] = {}
    for seed, (recipe, factor), (searched, options) in product(
        SEEDS, RATES.items(), SEARCHES.items()
    ):
        path = FOLDER / f"{recipe.replace(' ', '_')}_{'search' if options else 'none'}_{seed}.json"
        if fresh or not path.is_file():
            usual = {"size": str(SIDE), "budget": BUDGET, "seed": seed}
            with _rates_times(factor):
                left = left_by("digits", usual | options, scorer, nothing)
            found = {"distance": left.distance, "sentences": left.sentences, "commit": commit()}
            path.write_text(json.dumps(found, indent=1) + "\n")
            print(recipe, searched, seed, found, flush=True)
        kept[recipe, searched, seed] = json.loads(path.read_text())
    rows = [
        [recipe]
        + [", ".join(f"{kept[recipe, searched, seed]['distance']:,.3g}" for seed in SEEDS)
           for searched in SEARCHES]
        for recipe in RATES
    ]  # fmt: skip
    heads = ["FD", *(f"`{name}`" if "-" in name else name for name in SEARCHES)]
    notes = (
        f"Digits at {SIDE}x{SIDE}, {BUDGET} s on all cores, the search within them, seeds "
        f"{', '.join(map(str, SEEDS))}, with the doctor; Fréchet distance of {SAMPLES:,} samples "
        f"through the digits classifier, by what the recipe of `{DEFAULT}` says."
    )
    commits = [one["commit"] for one in kept.values()]
    record(BENCHMARKS, "search_worth", [Table(heads, rows)], notes=notes, commits=commits)


@contextmanager
def _rates_times(factor: float) -> Iterator[None]:
    """The default model's recipe with both learning rates multiplied, while the block runs."""
    spec = MODELS[DEFAULT]
    game = dict(spec.recipe["game"])
    game |= {name: game[name] * factor for name in ("lr_g", "lr_d")}
    with patch.dict(MODELS, {DEFAULT: replace(spec, recipe={**spec.recipe, "game": game})}):
        yield


if __name__ == "__main__":
    main()
