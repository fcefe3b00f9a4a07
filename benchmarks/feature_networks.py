"""Which feature network tells good samples from bad ones? `python benchmarks/feature_networks.py`.

Half of the emoji at 64x64 are the reference. Scored are other emoji, the same ones blurred and with
noise, samples of the generator that comes with ganvas and of one that was trained for a minute, and
eight images of it repeated. A good network orders them as people do.
"""

import shutil
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from images import as_tensor, prepared
from record import SCRATCH, record
from stored import BENCHMARKS, Table
from torch import Tensor

import ganvas
from ganvas.evaluation.features import EfficientNetLite0, FeatureNetwork, VGG19Averages
from ganvas.evaluation.metrics import kernel_distance, neighbour_shares
from ganvas.generate.pipeline import Pipeline

SAMPLE = 400
REPEATED = 8  # images of a collapsed generator
JITTER = 0.02  # standard deviation of what tells its repetitions apart
TRAINED = 10_000  # images that the early generator has seen
COLUMNS = ["precision ↑", "coverage ↑", "KID ↓"]
NETWORKS: tuple[Callable[[], FeatureNetwork], ...] = (VGG19Averages, EfficientNetLite0)


def main() -> None:
    """Score every sample through every network, print and record."""
    everything = as_tensor(prepared("emoji", 64))
    random = torch.Generator().manual_seed(0)
    reals, others = everything[torch.randperm(len(everything), generator=random)].chunk(2)
    samples = dict(_samples(others[:SAMPLE], random))
    tables = []
    for network in (load() for load in NETWORKS):
        reference = network.features(reals)
        rows = [
            [name, *_scores(reference, network.features(sample))]
            for name, sample in samples.items()
        ]
        tables.append(Table(["sample", *COLUMNS], rows, f"Through {network.name}:"))
    record(
        BENCHMARKS,
        "feature_networks",
        tables,
        notes=f"{SAMPLE} images a sample against {len(reals):,} emoji at 64x64; neighbours: k = 5; "
        "KID (kernel distance) is in units of the real images' spread.",
    )


def _samples(others: Tensor, random: torch.Generator) -> list[tuple[str, Tensor]]:
    noise = partial(torch.randn, others.shape, generator=random)
    small = F.interpolate(others, scale_factor=0.5, mode="area")
    blurred = F.interpolate(small, scale_factor=2.0, mode="bilinear", align_corners=False)
    early = _early().sample(SAMPLE, 1_000_000)
    return [
        ("other real images", others),
        ("the same, halved and doubled in size", blurred),
        ("the same, with noise of 0.05", (others + 0.1 * noise()).clamp(-1, 1)),
        ("the generator that comes with ganvas", ganvas.load("emoji").sample(SAMPLE, 1_000_000)),
        (f"compact after {TRAINED:,} images", early),
        (
            f"{REPEATED} images of it, repeated",
            early[:REPEATED].repeat(SAMPLE // REPEATED, 1, 1, 1) + JITTER * noise(),
        ),
    ]


def _early() -> Pipeline:
    """A generator that has only begun to learn; trained once."""
    run = SCRATCH / "feature_networks"
    if not (run / "run.yaml").exists():
        shutil.rmtree(run, ignore_errors=True)
        list(ganvas.train("emoji", out=run, size="64", images=TRAINED, width=32, batch=32))
    return ganvas.load(run)


def _scores(reference: Tensor, sample: Tensor) -> list[str]:
    shares = neighbour_shares(reference, sample)
    distance = kernel_distance(reference, sample)
    return [f"{shares.precision:.2f}", f"{shares.coverage:.2f}", f"{distance.relative:.3f}"]


if __name__ == "__main__":
    main()
