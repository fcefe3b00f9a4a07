"""What a minute leaves when a learning rate is badly chosen, with the doctor and without.

`python benchmarks/badly_chosen_rates.py`: digits at 32x32, seed 0, by ganvas.train as a user calls
it."""

from itertools import product
from typing import Any

import torch
from as_user import left_by
from images import as_tensor, prepared
from record import GALLERY, contact_sheet, record, tiled
from score import Scorer
from stored import BENCHMARKS, Table

from ganvas.evaluation.features import DigitsClassifier

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


def main() -> None:
    """Train, draw, print and record."""
    scorer = Scorer(DigitsClassifier.load(), as_tensor(prepared("digits", SIDE)), SAMPLES)
    usual, nothing = {"size": str(SIDE), "budget": BUDGET}, torch.zeros(SAMPLES, 1, SIDE, SIDE)
    found = {
        (asked, doctor): left_by("digits", usual | options | {"doctor": doctor}, scorer, nothing)
        for (asked, options), doctor in product(ASKED.items(), DOCTORS)
    }
    rows = [
        [f"`{asked}`" if options else asked]
        + [f"**{found[asked, doctor].distance:,.3g}**" for doctor in DOCTORS]
        + [" ".join(found[asked, "treat"].sentences[:1])]
        for asked, options in ASKED.items()
    ]
    heads = ["", *(f"FD, {said}" for said in DOCTORS.values()), "what the doctor says first"]
    notes = (
        f"Digits at {SIDE}x{SIDE}, {BUDGET} s on all cores, seed 0; Fréchet distance of "
        f"{SAMPLES:,} samples through the digits classifier; inf: no image was left."
    )
    sheets = {f"{a}, {DOCTORS[d]}": tiled(left.images) for (a, d), left in found.items()}
    contact_sheet(GALLERY / "badly_chosen_rates.png", sheets)
    record(BENCHMARKS, "badly_chosen_rates", [Table(heads, rows)], notes=notes)


if __name__ == "__main__":
    main()
