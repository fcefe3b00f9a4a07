"""Pairwise coverage: the few cases of a product in which every pair of values occurs.

Source: Lei and Tai (1998), In-parameter-order; the greedy choice here is simpler, and ends with
about as few cases.
"""

from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations

Pair = frozenset[tuple[str, Hashable]]


def cover(cases: Sequence[Mapping[str, Hashable]]) -> list[int]:
    """Indices of cases, in order, in which every pair of values occurs that occurs in any case.

    Greedy and deterministic: each step takes the first case that adds the most pairs.
    """
    pairs = [_pairs(case) for case in cases]
    missing: set[Pair] = set().union(*pairs)
    chosen = []
    while missing:
        best = max(range(len(cases)), key=lambda i: len(pairs[i] & missing))
        chosen.append(best)
        missing -= pairs[best]
    return sorted(chosen)


def _pairs(case: Mapping[str, Hashable]) -> set[Pair]:
    return {frozenset(pair) for pair in combinations(case.items(), 2)}
