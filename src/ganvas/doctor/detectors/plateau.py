"""A plateau: the images have stopped improving, far from as good as real ones."""

from statistics import fmean

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import Chart

EXAMS = 12
FAR = 20.0  # times the score of real images
BETTER = 0.95


def detect(chart: Chart) -> Evidence | None:
    """Scores of the last examinations that are level, and high."""
    scores, floor = chart.found("score", EXAMS), chart.found("floor", 1)
    if not scores or not floor:
        return None
    before, now = fmean(scores[: EXAMS // 2]), fmean(scores[EXAMS // 2 :])
    if now < BETTER * before or min(scores) < FAR * max(floor[0], 0.01):
        return None
    return Evidence(
        f"The images have not come nearer to real ones in {EXAMS} looks: {before:.2f}, then "
        f"{now:.2f}.",
        {"before": before, "now": now},
    )
