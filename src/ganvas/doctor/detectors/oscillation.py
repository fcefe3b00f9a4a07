"""Oscillation without progress: the players push each other to and fro.

That losses swing is healthy in itself, as the lesson says; that they swing from one end to the
other while images become no better is not.
"""

from statistics import pstdev

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow

WINDOWS = 24
SWING = 0.45  # standard deviation of the r_t, which goes from -1 to 1
PROBES = 3


def detect(signals: SignalsWindow) -> Evidence | None:
    """A discriminator that is now sure, now sure of the opposite, while scores do not improve."""
    sure, scores = signals.last("r_t", WINDOWS), signals.found("score", PROBES)
    if not sure or not scores or pstdev(sure) < SWING or min(scores[1:]) < 0.9 * scores[0]:
        return None
    return Evidence(
        f"The discriminator swings from sure to sure of the opposite (by {pstdev(sure):.2f} around "
        f"{sum(sure) / len(sure):.2f}), and the images are no better than {PROBES} looks ago.",
        {"swing": pstdev(sure), "score": scores[-1]},
    )
