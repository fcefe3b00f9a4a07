"""Mode collapse: the generator paints one picture, or a few kinds of many.

The lesson's first problem: one picture that fools the discriminator, and no variety.
"""

from statistics import fmean

from ganvas.doctor.chart import Chart
from ganvas.doctor.evidence import Evidence

WINDOWS = 16  # a healthy run may begin with a hundred steps of it
ALIKE = 0.1  # of the spread of real pictures
EXAMS = 4
FEWER = 0.9  # of what was missing before: a healthy run finds more and more
MISSING = 0.06  # of the pictures, told apart in 16 kinds


def detect(chart: Chart) -> Evidence | None:
    """Samples of a batch that are all alike, or kinds of picture that nobody paints any more."""
    return _total(chart) or _partial(chart)


def _total(chart: Chart) -> Evidence | None:
    real, fake = chart.mean("spread_real", WINDOWS), chart.last("spread_fake", WINDOWS)
    if not real or not fake or max(fake) > ALIKE * real:
        return None
    share = sum(fake) / len(fake) / real
    return Evidence(
        f"All samples look alike: they differ {share:.1%} as much as real pictures do.",
        {"spread": share},
    )


def _partial(chart: Chart) -> Evidence | None:
    missing, scores = chart.found("missing", EXAMS), chart.found("score", EXAMS)
    if not missing or min(missing) < MISSING or missing[-1] < FEWER * missing[0]:
        return None
    # Of 256 samples that are as real pictures are, a small kind may be missing by chance, and the
    # kernel distance, which is unbiased, is as often below 0 as above.
    if not scores or fmean(scores) <= 0:
        return None
    return Evidence(
        f"Kinds of picture that make up {missing[-1]:.0%} of the real ones have not been painted "
        f"in the last {EXAMS} looks.",
        {"missing": missing[-1]},
    )
