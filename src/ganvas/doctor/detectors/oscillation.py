"""Oscillation without progress: the discriminator swings between extremes.

Losses that oscillate are healthy in themselves, as the lesson says. They are an issue when they
swing from one extreme to the other while the images do not improve.
"""

from statistics import pstdev

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow

WINDOWS = 24
SWING = 0.45  # standard deviation of r_t, which lies in [-1, 1]
PROBES = 3


def detect(signals: SignalsWindow) -> Evidence | None:
    """Detect an r_t that oscillates widely while the scores do not improve."""
    r_t, scores = signals.last("r_t", WINDOWS), signals.found("score", PROBES)
    if not r_t or not scores or pstdev(r_t) < SWING or min(scores[1:]) < 0.9 * scores[0]:
        return None
    return Evidence(
        f"The discriminator's r_t swings between extremes (standard deviation {pstdev(r_t):.2f} "
        f"around {sum(r_t) / len(r_t):.2f}), and the images have not improved in the last "
        f"{PROBES} probes.",
        {"swing": pstdev(r_t), "score": scores[-1]},
    )
