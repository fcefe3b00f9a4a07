"""Overfitting: the discriminator knows the images by heart, and the generator copies them."""

from statistics import fmean

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow

PROBES = 3
GAP = 1.0  # spreads of the discriminator's scores
COPY = 0.5  # of the usual distance between two real images


def detect(signals: SignalsWindow) -> Evidence | None:
    """Images that were learnt from are judged better than others that were held out, or samples
    are much nearer to real images than real ones are to each other."""
    gaps, nearest = signals.found("gap", PROBES), signals.found("nearest", PROBES)
    if gaps and min(gaps) > GAP:
        return Evidence(
            f"The discriminator scores images that it has learnt from {fmean(gaps):.1f} spreads "
            "higher than images that were held out: it knows them by heart.",
            {"gap": fmean(gaps)},
        )
    if nearest and max(nearest) < COPY:
        return Evidence(
            f"Samples lie {nearest[-1]:.0%} as far from a real image as real ones from each "
            "other: they are copies.",
            {"nearest": nearest[-1]},
        )
    return None
