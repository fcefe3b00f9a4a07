"""A plateau: the images have stopped improving, far from as good as real ones."""

from statistics import fmean

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow

PROBES = 12
FAR = 20.0  # times the score of real images
BETTER = 0.95


def detect(signals: SignalsWindow) -> Evidence | None:
    """Scores of the last probes that are level, and high."""
    scores, floor = signals.found("score", PROBES), signals.found("floor", 1)
    if not scores or not floor:
        return None
    before, now = fmean(scores[: PROBES // 2]), fmean(scores[PROBES // 2 :])
    if now < BETTER * before or min(scores) < FAR * max(floor[0], 0.01):
        return None
    return Evidence(
        f"The images have not come nearer to real ones in {PROBES} looks: {before:.2f}, then "
        f"{now:.2f}.",
        {"before": before, "now": now},
    )
