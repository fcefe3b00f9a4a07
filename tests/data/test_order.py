"""The endless order of images."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganvas.data import positions

EXPECTED = [0, 8, 9, 3, 7, 5, 1, 2, 6, 4, 3, 7]
totals, seeds = st.integers(1, 40), st.integers(0, 2**63)


@given(seeds, totals, st.integers(0, 10**6))
def test_every_epoch_shows_every_image_once(seed, total, epoch):
    shown = positions(seed, epoch * total, total, total)
    assert shown.dtype == np.int64
    assert sorted(shown) == list(range(total))


@given(seeds, totals, st.integers(0, 200), st.integers(0, 90), st.integers(0, 90))
def test_resuming_anywhere_goes_on_the_same(seed, total, start, first, second):
    whole = positions(seed, start, first + second, total)
    parts = positions(seed, start, first, total), positions(seed, start + first, second, total)
    assert np.array_equal(whole, np.concatenate(parts))
    assert len(whole) == first + second


def test_epochs_and_seeds_differ():
    orders = [positions(seed, epoch * 50, 50, 50) for seed in (0, 1) for epoch in (0, 1)]
    assert len({order.tobytes() for order in orders}) == 4


def test_the_order_never_changes():
    assert positions(0, 0, 12, 10).tolist() == EXPECTED


def test_results_belong_to_the_caller():
    positions(5, 0, 10, 10)[:] = 0
    assert sorted(positions(5, 0, 10, 10)) == list(range(10))


@pytest.mark.parametrize("wrong", [(0, 0, 1, 0), (-1, 0, 1, 5), (0, -1, 1, 5), (0, 0, -1, 5)])
def test_senseless_questions(wrong):
    with pytest.raises(ValueError, match="no order for"):
        positions(*wrong)
