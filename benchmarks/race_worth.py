"""What a race between settings is worth, for the same time: by sensible settings and by odd ones.

`python benchmarks/race_worth.py`: digits at 32x32, three minutes a run, with the doctor, as a user
calls ganvas.train. Interrupted, it goes on where it was; `--fresh` runs again.
"""

import json
from argparse import ArgumentParser
from itertools import product
from typing import Any

import torch
from as_user import left_by
from pictures import as_tensor, prepared
from record import RESULTS, ROOT, append_table, commit, markdown
from score import Judge

from ganvas.vision import DigitsClassifier

FOLDER = ROOT / "benchmarks/results/race_worth"
BUDGET, SIDE, SAMPLES, SEEDS = 180, 32, 2000, range(2)
CANDIDATES = 8
# The default takes 0.02 to 0.04 times the size of each weight, and penalties of 0.3.
ASKED: dict[str, dict[str, Any]] = {
    "nothing set": {},
    "--lr-g 0.003 --lr-d 0.003": {"lr_g": 0.003, "lr_d": 0.003},
    "--lr-g 0.15 --lr-d 0.15": {"lr_g": 0.15, "lr_d": 0.15},
    "--r1 10 --r2 10": {"r1": 10.0, "r2": 10.0},
}
RACES: dict[str, dict[str, Any]] = {
    "no race": {},
    f"--race {CANDIDATES}": {"race": CANDIDATES},
}


def main() -> None:
    """Run whatever has no result yet; print and append the table."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="run again what has a result")
    fresh = parser.parse_args().fresh
    judge = Judge(DigitsClassifier.load(), as_tensor(prepared("digits", SIDE)), SAMPLES)
    nothing = torch.zeros(SAMPLES, 1, SIDE, SIDE)
    FOLDER.mkdir(parents=True, exist_ok=True)
    kept: dict[tuple[str, str, int], dict[str, Any]] = {}
    for seed, number, (raced, race) in product(SEEDS, range(len(ASKED)), RACES.items()):
        asked, options = list(ASKED.items())[number]
        path = FOLDER / f"{number}_{'race' if race else 'none'}_{seed}.json"
        if fresh or not path.is_file():
            usual = {"size": str(SIDE), "budget": BUDGET, "seed": seed}
            left = left_by("digits", usual | options | race, judge, nothing)
            found = {"distance": left.distance, "told": left.told, "commit": commit()}
            path.write_text(json.dumps(found, indent=1) + "\n")
            print(asked, raced, seed, found, flush=True)
        kept[asked, raced, seed] = json.loads(path.read_text())
    rows = [
        [f"`{asked}`" if options else asked]
        + [", ".join(f"{kept[asked, raced, seed]['distance']:,.3g}" for seed in SEEDS)
           for raced in RACES]
        for asked, options in ASKED.items()
    ]  # fmt: skip
    body = (
        f"Digits at {SIDE}x{SIDE}, {BUDGET} s on all cores, the race within them, seeds "
        f"{', '.join(map(str, SEEDS))}, with the doctor; Fréchet distance of {SAMPLES:,} samples "
        f"through the digits classifier.\n\n"
        f"{markdown(['FD', *(f'`{name}`' if '-' in name else name for name in RACES)], rows)}"
    )
    print(body)
    append_table(
        RESULTS,
        "What a race is worth",
        body,
        ", ".join(sorted({k["commit"] for k in kept.values()})),
    )


if __name__ == "__main__":
    main()
