"""Which discriminator makes the best images in the same time? Own, pretrained, or both.

`python benchmarks/discriminators.py --source emoji --size 64 --for 10m --longer 6 --seeds 0 1 2`.
The default model learns with each, seed by seed in turn; with `--longer` its own discriminator also
gets so many times as long. VGG-19 judges, through which nobody learns; scores through
EfficientNet-Lite0, which taught some of them, stand below and decide nothing. Interrupted, it goes
on where it was; `--fresh` trains again.
"""

from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from typing import Any

from contestants import Contestant, Trained, ganvas_run
from images import as_tensor, prepared
from record import Terms
from score import Comparison, Scorer
from stored import BENCHMARKS

from ganvas.config.training import seconds
from ganvas.evaluation.features import DigitsClassifier, EfficientNetLite0, VGG19Averages

OWN = "own"
OPTIONS: dict[str, dict[str, Any]] = {
    OWN: {"discriminator": "own"},
    "both": {"discriminator": "both"},
    "both, not matched": {"discriminator": "both", "match": 0.0},
    "both, without noise": {"discriminator": "both", "heads_noise": 0.0},
    "pretrained": {"discriminator": "pretrained"},
}
SAMPLES = 2000
COLUMNS = {
    "images/s": "images/s",
    "FD": "FD ↓",
    "kernel": "KID ↓",
    "precision": "precision ↑",
    "recall": "recall ↑",
    "coverage": "coverage ↑",
    "duplicates": "duplicates ↓",
    "copies": "copies ↓",
}


def main() -> None:
    """Compare, record and draw a sheet of all that have a result."""
    options = _options().parse_args()
    source, size, budget = options.source, options.size, float(str(seconds(options.budget)))
    images = as_tensor(prepared(source, size))
    entered = contestants(source, size, options.longer)
    terms = Terms(options.seeds, budget, options.only or [*entered], options.fresh, options.results)
    judges = [DigitsClassifier.load()] if source == "digits" else [VGG19Averages()]
    scorers = [Scorer(network, images, SAMPLES) for network in (*judges, EfficientNetLite0())]
    Comparison("discriminators", source, size, COLUMNS, OWN).run(entered, scorers, images, terms)


def contestants(source: str, size: int, longer: float | None) -> dict[str, Contestant]:
    """Each discriminator; the own one also with `longer` times the others' time, if wanted."""
    found: dict[str, Contestant] = {
        name: partial(ganvas_run, name, source, size, options) for name, options in OPTIONS.items()
    }
    if longer is not None:

        def patiently(budget: float, seed: int) -> Trained:
            return ganvas_run(OWN, source, size, OPTIONS[OWN], longer * budget, seed)

        found[f"own, {longer:g} times as long"] = patiently
    return found


def _options() -> ArgumentParser:
    options = ArgumentParser(description="Every discriminator, the same time.")
    options.add_argument("--source", required=True, help="digits, emoji or a folder of images")
    options.add_argument("--size", type=int, required=True, help="pixels a side")
    options.add_argument("--for", dest="budget", required=True, help="such as 60s or 10m, for each")
    options.add_argument("--longer", type=float, help="times as long once more, for the own one")
    options.add_argument("--seeds", type=int, nargs="+", default=[0])
    options.add_argument("--only", nargs="+", help="names in the table")
    options.add_argument("--fresh", action="store_true", help="train again what has a result")
    options.add_argument("--results", type=Path, default=BENCHMARKS, help="folder to record into")
    return options


if __name__ == "__main__":
    main()
