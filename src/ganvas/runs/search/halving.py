"""Successive halving: the same time for every round, and half as many in each as in the one before.

Of Karnin, Koren and Somekh (2013); Jamieson and Talwalkar (2016) used it for hyperparameters: most
trials are told from the best early, so that they need not be trained to their end.

What differs: the run as it is planned stays to the last round. Rounds are short, and what learns
fastest in them need not end best; a recipe that was measured over whole runs yields to evidence.
"""

from collections.abc import Mapping
from math import hypot, inf

PLANNED = 0  # the number of the run as it is planned
DOUBT = 2.0  # errors by which another must be better


def rounds(trials: int) -> list[int]:
    """How many are in each round, until one is left: 8 trials are 8, 4, 2."""
    sizes = []
    while trials > 1:
        sizes.append(trials)
        trials = -(-trials // 2)
    return sizes


def survivors(scores: Mapping[int, float], errors: Mapping[int, float]) -> list[int]:
    """The better half of trials by number, the best first, and in any case the planned run,
    where it is finite: in place of the last that would stay, and if only one stays, unless the best
    is better beyond doubt. Errors are standard errors of the scores."""
    better = better_half(scores)
    if PLANNED in better or scores.get(PLANNED, inf) == inf:
        return better
    if len(better) > 1:
        return [*better[:-1], PLANNED]
    doubt = DOUBT * hypot(errors[better[0]], errors[PLANNED])
    return better if scores[better[0]] + doubt < scores[PLANNED] else [PLANNED]


def better_half(scores: Mapping[int, float]) -> list[int]:
    """Of trials by number, the half with the lowest scores, the best first; one more of an odd
    number. Of equals the lower number is the better."""
    ranked = sorted(scores, key=lambda number: (scores[number], number))
    return ranked[: -(-len(ranked) // 2)]
