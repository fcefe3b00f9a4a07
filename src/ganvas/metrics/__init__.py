"""Numbers that say how good generated pictures are.

To add one, write a function of (real features, fake features) and add its line to METRICS.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from ganvas.metrics.features import EfficientNetLite0, FeatureNetwork
from ganvas.metrics.frechet import frechet_distance
from ganvas.metrics.kernel import KernelDistance, kernel_distance, relative_kernel_distance
from ganvas.metrics.neighbours import (
    NeighbourShares,
    coverage,
    density,
    neighbour_shares,
    precision,
    recall,
)


@dataclass(frozen=True)
class Metric:
    """One number about two sets of features, real (N, D) first, then fake (M, D)."""

    function: Callable[[Tensor, Tensor], float]
    summary: str
    better: Literal["lower", "higher"]


METRICS = {
    "frechet": Metric(
        frechet_distance,
        "distance between two Gaussians fitted to the features (needs thousands of pictures)",
        "lower",
    ),
    "kernel": Metric(
        relative_kernel_distance,
        "distance under a cubic kernel, in units of the real pictures' spread (fair on small sets)",
        "lower",
    ),
    "precision": Metric(
        precision, "share of generated pictures that lie among the real ones", "higher"
    ),
    "recall": Metric(recall, "share of real pictures that lie among the generated ones", "higher"),
    "density": Metric(density, "how densely real pictures surround the generated ones", "higher"),
    "coverage": Metric(coverage, "share of real pictures that have a generated one near", "higher"),
}

__all__ = [
    "METRICS",
    "EfficientNetLite0",
    "FeatureNetwork",
    "KernelDistance",
    "Metric",
    "NeighbourShares",
    "frechet_distance",
    "kernel_distance",
    "neighbour_shares",
]
