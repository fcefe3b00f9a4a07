"""Mode collapse: the generator generates one image, or a few kinds of many.

The lesson's first problem: one image that fools the discriminator, and no variety.
"""

from statistics import fmean

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow

WINDOWS = 16  # a healthy run may begin with a hundred steps of it
ALIKE = 0.1  # of the spread of real images
PROBES = 4
FEWER = 0.9  # of what was missing before: a healthy run finds more and more
MISSING = 0.1  # of the images, told apart in 16 kinds
STUCK = 0.8  # of the score before: while it falls further, kinds may be yet to come
UNEVEN = 0.18  # of 256 samples, told apart in 8 kinds: 0.05 to 0.15 is chance, and what is healthy
WORSE = 1.5  # times as uneven as it has been


def detect(signals: SignalsWindow) -> Evidence | None:
    """Samples of a batch that are all alike, kinds of image that nobody generates any more, or
    kinds
    that are generated less and less evenly."""
    return _total(signals) or _missing(signals) or _uneven(signals)


def _total(signals: SignalsWindow) -> Evidence | None:
    real, fake = signals.mean("spread_real", WINDOWS), signals.last("spread_fake", WINDOWS)
    if not real or not fake or max(fake) > ALIKE * real:
        return None
    share = sum(fake) / len(fake) / real
    return Evidence(
        f"All samples look alike: they differ {share:.1%} as much as real images do.",
        {"spread": share},
    )


def _missing(signals: SignalsWindow) -> Evidence | None:
    missing, scores = signals.found("missing", PROBES), signals.found("score", PROBES)
    if not missing or min(missing) < MISSING or missing[-1] < FEWER * missing[0]:
        return None
    # Of 256 samples that are as real images are, a small kind may be missing by chance, and the
    # kernel distance, which is unbiased, is as often below 0 as above.
    if not scores or fmean(scores) <= 0 or scores[-1] < STUCK * scores[0]:
        return None
    return Evidence(
        f"Kinds of image that make up {missing[-1]:.0%} of the real ones have not been generated "
        f"in the last {PROBES} looks.",
        {"missing": missing[-1]},
    )


def _uneven(signals: SignalsWindow) -> Evidence | None:
    shares = signals.found_all("uneven")
    if len(shares) < PROBES:
        return None
    means = [fmean(shares[end - PROBES : end]) for end in range(PROBES, len(shares) + 1)]
    now, best = means[-1], min(means)
    if now < UNEVEN or now < WORSE * best:
        return None
    return Evidence(
        f"Some kinds of image are generated too often and others too seldom: {now:.0%} of the "
        f"samples would have to be of another kind, where it was {best:.0%} before.",
        {"uneven": now, "before": best},
    )
