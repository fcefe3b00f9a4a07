"""Mode collapse: the generator covers one mode of the data, or a few of many.

The lesson's first problem: one image that fools the discriminator, and no variety.
"""

from statistics import fmean

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow

WINDOWS = 16  # a healthy run may begin with a hundred collapsed steps
ALIKE = 0.1  # of the spread of real images
PROBES = 4
FEWER = 0.9  # of what was missing before: a healthy run finds more and more modes
MISSING = 0.1  # share of the real images, in 16 clusters
STUCK = 0.8  # of the score before: while it still falls, modes may be yet to come
UNEVEN = 0.18  # total variation of 256 samples in 8 clusters: healthy runs have 0.05 to 0.15
WORSE = 1.5  # times the lowest unevenness so far


def detect(signals: SignalsWindow) -> Evidence | None:
    """Detect a batch of samples that are all alike, modes that are not generated any more, or
    modes that are generated less and less evenly."""
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
    # In 256 samples of the real distribution a small mode may be missing by chance, and the KID,
    # which is unbiased, is as often below 0 as above.
    if not scores or fmean(scores) <= 0 or scores[-1] < STUCK * scores[0]:
        return None
    return Evidence(
        f"Modes that make up {missing[-1]:.0%} of the real images were hardly generated in the "
        f"last {PROBES} probes.",
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
        f"Some modes are generated too often and others too rarely: {now:.0%} of the samples "
        f"would have to belong to another mode, at best it was {best:.0%}.",
        {"uneven": now, "before": best},
    )
