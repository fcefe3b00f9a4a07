"""Overfitting: the discriminator memorises the training images, or the generator copies them."""

from statistics import fmean

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow

PROBES = 3
GAP = 1.0  # standard deviations of the discriminator's scores
COPY = 0.5  # of the usual distance from a real image to its nearest neighbour


def detect(signals: SignalsWindow) -> Evidence | None:
    """Detect training images that score higher than held-out ones, or samples that are much
    closer to real images than real images are to each other."""
    gaps, nearest = signals.found("gap", PROBES), signals.found("nearest", PROBES)
    if gaps and min(gaps) > GAP:
        return Evidence(
            f"The discriminator scores training images {fmean(gaps):.1f} standard deviations "
            "higher than held-out images: it overfits.",
            {"gap": fmean(gaps)},
        )
    if nearest and max(nearest) < COPY:
        return Evidence(
            f"Samples are {nearest[-1]:.0%} as far from the nearest real image as real images are "
            "from each other: they are copies.",
            {"nearest": nearest[-1]},
        )
    return None
