"""Which discriminator makes the best images in the same time? Own, pretrained, or both.

`python benchmarks/discriminators.py --source emoji --size 64 --for 10m --longer 6 --seeds 0 1 2`.
The default model learns with each, seed by seed in turn; with `--longer` its own discriminator and
both together also get so many times as long.

For how many images the time is enough is planned first, by ganvas itself, on a quiet machine:
`--plan 3` does only that, three times, of which the middle one counts. Everyone then learns from
that many images, whatever else the machine does: with `OMP_NUM_THREADS=1` two commands may share
the seeds.

VGG-19 judges, through which nobody learns; scores through EfficientNet-Lite0, which taught some of
them, stand below and decide nothing. Interrupted, it goes on where it was; `--fresh` trains again.
"""

from argparse import ArgumentParser
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

from contestants import PlannedRun
from images import as_tensor, prepared
from record import Terms
from score import Comparison, Scorer
from stored import BENCHMARKS

from ganvas.config.training import seconds
from ganvas.evaluation.features import DigitsClassifier, EfficientNetLite0, VGG19Averages

OWN, BOTH = "own", "both"
OPTIONS: dict[str, dict[str, Any]] = {
    OWN: {"discriminator": "own"},
    BOTH: {"discriminator": "both"},
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
    comparison = Comparison("discriminators", source, size, COLUMNS, OWN, "Discriminators")
    plans = comparison.shelf(budget).plans
    entered = contestants(source, size, options.longer, plans, options.fresh)
    terms = Terms(options.seeds, budget, options.only or [*entered], options.fresh, options.results)
    for _, name in product(range(options.plan), terms.only):
        print(name, entered[name].plan(budget, again=True), flush=True)
    if options.plan:
        return
    learnt = as_tensor(prepared(source, size))
    images = as_tensor(prepared(options.against or source, size))
    judges = [DigitsClassifier.load()] if source == "digits" else [VGG19Averages()]
    networks = [*judges, EfficientNetLite0()]
    scorers = [Scorer(network, images, SAMPLES, learnt) for network in networks]
    comparison.run(entered, scorers, images, terms)


def contestants(
    source: str, size: int, longer: float | None, plans: Path, fresh: bool
) -> Mapping[str, PlannedRun]:
    """Each discriminator; the best two also with `longer` times the others' time, if wanted."""
    times = [(name, name, 1.0) for name in OPTIONS]
    if longer is not None:
        times += [(f"{name}, {longer:g} times as long", name, longer) for name in (OWN, BOTH)]
    return {
        name: PlannedRun(name, source, size, OPTIONS[one], plans, factor, fresh)
        for name, one, factor in times
    }


def _options() -> ArgumentParser:
    options = ArgumentParser(description="Every discriminator, the same time.")
    options.add_argument("--source", required=True, help="digits, emoji or a folder of images")
    options.add_argument("--size", type=int, required=True, help="pixels a side")
    options.add_argument("--for", dest="budget", required=True, help="such as 60s or 10m, for each")
    options.add_argument("--longer", type=float, help="times as long once more, for the best two")
    options.add_argument("--against", help="images to be judged against, if not those learnt from")
    options.add_argument("--seeds", type=int, nargs="+", default=[0])
    options.add_argument("--only", nargs="+", help="names in the table")
    options.add_argument("--plan", type=int, default=0, help="plan so many times; train nobody")
    options.add_argument("--fresh", action="store_true", help="train again what has a result")
    options.add_argument("--results", type=Path, default=BENCHMARKS, help="folder to record into")
    return options


if __name__ == "__main__":
    main()
