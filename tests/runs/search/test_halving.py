"""Half of the trials drop out of every round."""

from math import inf, nan

import pytest

from ganvas.runs.search.halving import better_half, rounds, survivors


@pytest.mark.parametrize(
    ("trials", "sizes"),
    [(1, []), (2, [2]), (3, [3, 2]), (4, [4, 2]), (5, [5, 3, 2]), (8, [8, 4, 2])],
)
def test_rounds_end_with_one(trials, sizes):
    assert rounds(trials) == sizes


@pytest.mark.parametrize(
    ("scores", "better"),
    [
        ({0: 3.0, 1: 1.0, 2: 2.0, 3: 4.0}, [1, 2]),
        ({0: 3.0, 5: 1.0, 7: 2.0}, [5, 7]),
        ({4: 1.0, 2: 1.0}, [2]),  # of equals, the one that is as planned, or nearer to it
        ({0: inf, 1: 0.1}, [1]),
        ({0: -0.01, 1: 0.1}, [0]),
    ],
)
def test_the_better_half_stays(scores, better):
    assert better_half(scores) == better


@pytest.mark.parametrize(
    ("scores", "stay"),
    [
        ({0: 4.0, 1: 1.0, 2: 2.0, 3: 3.0}, [1, 0]),  # to the last round, in place of the second
        ({0: 1.5, 1: 1.0, 2: 2.0, 3: 3.0}, [1, 0]),
        ({0: inf, 1: 1.0, 2: 2.0, 3: 3.0}, [1, 2]),
        ({0: 1.2, 1: 1.0}, [0]),  # within two errors
        ({0: 1.3, 1: 1.0}, [1]),
        ({0: inf, 1: 1.0}, [1]),
        ({0: 1.0, 1: inf}, [0]),
        ({2: 1.0, 1: 2.0}, [2]),
    ],
)
def test_the_planned_run_yields_to_evidence_alone(scores, stay):
    errors = {number: nan if score == inf else 0.1 for number, score in scores.items()}
    assert survivors(scores, errors) == stay
