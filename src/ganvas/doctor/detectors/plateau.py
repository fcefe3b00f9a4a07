"""A plateau: the images have stopped improving, while still far from real ones."""

from statistics import fmean

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow

PROBES = 12
FAR = 20.0  # times the score of real images
BETTER = 0.95


def detect(signals: SignalsWindow) -> Evidence | None:
    """Detect scores that have stayed level and high over the last probes."""
    scores, floor = signals.found("score", PROBES), signals.found("floor", 1)
    if not scores or not floor:
        return None
    before, now = fmean(scores[: PROBES // 2]), fmean(scores[PROBES // 2 :])
    if now < BETTER * before or min(scores) < FAR * max(floor[0], 0.01):
        return None
    return Evidence(
        f"The images have not improved in the last {PROBES} probes: the mean score was "
        f"{before:.2f}, then {now:.2f}.",
        {"before": before, "now": now},
    )
