"""How numbers change over a run, as functions of the fraction of the run that is done."""


def learning_rate(fraction: float, decay_from: float) -> float:
    """A factor of 1 until `decay_from` of the run, then a straight line to 0 at its end."""
    if fraction <= decay_from or decay_from >= 1.0:
        return 1.0
    return max(0.0, (1.0 - fraction) / (1.0 - decay_from))


def fading(fraction: float) -> float:
    """A factor that falls from 1 to 0 in a straight line, for instance noise."""
    return max(0.0, 1.0 - fraction)


def waning(fraction: float, end: float) -> float:
    """A factor that falls from 1 to `end`, by the same ratio in equal shares of the run.

    For penalties, which must hold the players at first and blur what is fine in the end: Huang et
    al. (2024) let theirs fall to a tenth, along a cosine.
    """
    return float(end ** min(1.0, fraction))
