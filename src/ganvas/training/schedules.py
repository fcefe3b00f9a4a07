"""Schedules: factors as functions of the fraction of the run that is done, in [0, 1]."""

GONE = 0.7  # the fraction of a run at which noise on what heads see is gone


def learning_rate(fraction: float, decay_from: float) -> float:
    """A factor that is 1 until `decay_from` of the run, then falls linearly to 0 at its end."""
    if fraction <= decay_from or decay_from >= 1.0:
        return 1.0
    return max(0.0, (1.0 - fraction) / (1.0 - decay_from))


def fading(fraction: float) -> float:
    """A factor that falls linearly from 1 to 0, for instance noise."""
    return max(0.0, 1.0 - fraction)


def vanishing(fraction: float) -> float:
    """A factor that falls linearly from 1 to 0 at `GONE`, for noise on what heads see.

    The last part of a run is for detail, which noise hides.
    """
    return fading(fraction / GONE)


def waning(fraction: float, end: float) -> float:
    """A factor that falls exponentially from 1 to `end`.

    It is for gradient penalties, which stabilise training at first and suppress fine detail in the
    end. Huang et al. (2024) let theirs fall to a tenth, along a cosine.
    """
    return float(end ** min(1.0, fraction))
