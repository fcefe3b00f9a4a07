"""Successive halving: the same time for every round, and half as many in each as in the one before.

Of Karnin, Koren and Somekh (2013); Jamieson and Talwalkar (2016) used it for hyperparameters: most
candidates are told from the best early, so that they need not be trained to their end.
"""

from collections.abc import Mapping


def rounds(candidates: int) -> list[int]:
    """How many are in each round, until one is left: 8 candidates are 8, 4, 2."""
    sizes = []
    while candidates > 1:
        sizes.append(candidates)
        candidates = -(-candidates // 2)
    return sizes


def better_half(scores: Mapping[int, float]) -> list[int]:
    """Of candidates by number, the half with the lowest scores, the best first; one more of an odd
    number. Of equals the lower number is the better."""
    ranked = sorted(scores, key=lambda number: (scores[number], number))
    return ranked[: -(-len(ranked) // 2)]
