"""Metrics of generated images.

To add one, write a function of (real features, fake features) and add its line to METRICS.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from ganvas.evaluation.metrics.bins import Bins, bins, different_bins
from ganvas.evaluation.metrics.diversity import Diversity, pairwise_diversity
from ganvas.evaluation.metrics.duplicates import Duplicates, duplicate_share, duplicates
from ganvas.evaluation.metrics.frechet import frechet_distance
from ganvas.evaluation.metrics.kernel import (
    KernelDistance,
    kernel_distance,
    relative_kernel_distance,
)
from ganvas.evaluation.metrics.memorising import Nearest, nearest_real
from ganvas.evaluation.metrics.neighbours import (
    NeighbourShares,
    coverage,
    density,
    neighbour_shares,
    precision,
    recall,
)
from ganvas.evaluation.metrics.report import EvaluationReport, Scores, scores


@dataclass(frozen=True)
class Metric:
    """One number about two sets of features, real (N, D) first, then fake (M, D)."""

    function: Callable[[Tensor, Tensor], float]
    summary: str
    better: Literal["lower", "higher"]


METRICS = {
    "frechet": Metric(
        frechet_distance,
        "Fréchet distance of Gaussians fitted to the features (needs thousands of images)",
        "lower",
    ),
    "kernel": Metric(
        relative_kernel_distance,
        "KID, in units of the real images' spread (unbiased on small sets)",
        "lower",
    ),
    "precision": Metric(
        precision, "share of generated images that lie among the real ones", "higher"
    ),
    "recall": Metric(recall, "share of real images that lie among the generated ones", "higher"),
    "density": Metric(density, "how densely real images surround the generated ones", "higher"),
    "coverage": Metric(coverage, "share of real images that have a generated one near", "higher"),
    "bins": Metric(
        different_bins,
        "share of clusters of images that are generated too rarely or too often",
        "lower",
    ),
    "duplicates": Metric(
        duplicate_share, "share of generated images with a near-duplicate", "lower"
    ),
}

__all__ = [
    "METRICS",
    "Bins",
    "Diversity",
    "Duplicates",
    "EvaluationReport",
    "KernelDistance",
    "Metric",
    "Nearest",
    "NeighbourShares",
    "Scores",
    "bins",
    "duplicates",
    "frechet_distance",
    "kernel_distance",
    "nearest_real",
    "neighbour_shares",
    "pairwise_diversity",
    "scores",
]
