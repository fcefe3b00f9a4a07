"""Work ahead is bounded: by the workers, and by what may wait where results are large."""

import threading

import pytest

from ganvas.data.parallel import AHEAD, in_order


@pytest.mark.parametrize(("most", "bound"), [(None, AHEAD * 2), (3, 3), (0, 1), (10**6, AHEAD * 2)])
def test_no_more_waits_than_may(most, bound):
    begun, taken, worst = set(), 0, 0
    lock = threading.Lock()

    def work(item):
        with lock:
            begun.add(item)
        return item * item

    for result in in_order(work, range(100), 2, most):
        assert result == taken * taken
        taken += 1
        with lock:
            worst = max(worst, len(begun) - taken)
    assert taken == 100
    assert worst <= bound
