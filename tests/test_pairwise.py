"""The catalogues that `make test` shortens keep every pair of values."""

from itertools import combinations, product

import pairwise
import pytest

VALUES = {"model": "abcdef", "loss": range(7), "bf16": (False, True), "micro_batches": (1, 2, 4)}


def pairs(cases):
    return {pair for case in cases for pair in combinations(sorted(case.items()), 2)}


@pytest.mark.parametrize("names", [("model", "loss", "bf16"), tuple(VALUES)])
def test_every_pair_occurs_in_few_cases(names):
    cases = [
        dict(zip(names, row, strict=True)) for row in product(*(VALUES[name] for name in names))
    ]
    chosen = [cases[i] for i in pairwise.cover(cases)]
    assert pairs(chosen) == pairs(cases)
    assert 6 * 7 <= len(chosen) <= 1.2 * 6 * 7  # no fewer can hold the pairs of the two longest
    assert pairwise.cover(cases) == pairwise.cover(cases)


def test_pairs_that_no_case_has_are_not_asked_for():
    cases = [{"a": 1, "b": 1}, {"a": 2, "b": 2}]
    assert pairwise.cover(cases) == [0, 1]
