"""What a minute leaves when a learning rate is foolish, with the doctor and without.

`python benchmarks/foolish.py`: digits at 32x32, seed 0, by ganvas.train as a user calls it.
"""

import tempfile
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from math import inf
from typing import Any

import torch
from pictures import as_tensor, prepared
from record import GALLERY, RESULTS, append_table, contact_sheet, markdown, tiled
from score import SAMPLE_SEED, Judge
from torch import Tensor

import ganvas
from ganvas.checkpoint import CheckpointError
from ganvas.events import Diagnosis
from ganvas.training import DivergedError
from ganvas.vision import DigitsClassifier

BUDGET, SIDE, SAMPLES = 60, 32, 2000
DOCTORS = {"off": "no doctor", "treat": "doctor"}
# The default takes 0.02 to 0.04 times the size of each weight, dcgan 0.002.
ASKED: dict[str, dict[str, Any]] = {
    "nothing set": {},
    "--lr-d 0.6": {"lr_d": 0.6},
    "--lr-g 0.6": {"lr_g": 0.6},
    "--lr-g 0.6 --lr-d 0.6": {"lr_g": 0.6, "lr_d": 0.6},
    "--model dcgan --lr-g 0.06 --lr-d 0.06": {"model": "dcgan", "lr_g": 0.06, "lr_d": 0.06},
}


@dataclass(frozen=True)
class Left:
    """What a run left: pictures, their distance from real ones, and what it was told."""

    pictures: Tensor
    distance: float
    told: list[str]


def main() -> None:
    """Train, print, draw and append."""
    real = as_tensor(prepared("digits", SIDE))
    judge = Judge(DigitsClassifier.load(), real, SAMPLES)
    found = {
        (asked, doctor): _trained(options | {"doctor": doctor}, judge)
        for (asked, options), doctor in product(ASKED.items(), DOCTORS)
    }
    rows = [
        [f"`{asked}`" if options else asked]
        + [f"**{found[asked, doctor].distance:,.3g}**" for doctor in DOCTORS]
        + [" ".join(found[asked, "treat"].told)]
        for asked, options in ASKED.items()
    ]
    heads = ["", *(f"FD, {said}" for said in DOCTORS.values()), "what the doctor says first"]
    body = (
        f"Digits at {SIDE}x{SIDE}, {BUDGET} s on all cores, seed 0; Fréchet distance of "
        f"{SAMPLES:,} samples through the digits classifier.\n\n{markdown(heads, rows)}"
    )
    print(body)
    sheets = {f"{a}, {DOCTORS[d]}": tiled(left.pictures) for (a, d), left in found.items()}
    contact_sheet(GALLERY / "foolish_rates.png", sheets)
    append_table(RESULTS, "Foolish learning rates", body)


def _trained(options: dict[str, Any], judge: Judge) -> Left:
    told: list[str] = []
    pictures = torch.full((SAMPLES, 1, SIDE, SIDE), torch.nan)
    with tempfile.TemporaryDirectory() as folder:
        run = f"{folder}/run"
        with suppress(DivergedError, CheckpointError):  # what it has saved is what the user has
            for event in ganvas.train("digits", out=run, size=str(SIDE), budget=BUDGET, **options):
                if isinstance(event, Diagnosis):
                    told.append(event.sentence)
        with suppress(CheckpointError):  # nothing was ever saved
            pictures = ganvas.load(run).sample(SAMPLES, seed=SAMPLE_SEED)
    whole = bool(torch.isfinite(pictures).all())
    distance = judge.score(pictures)["FD"] if whole else inf
    return Left(pictures.nan_to_num(), distance, told[:1])


if __name__ == "__main__":
    main()
