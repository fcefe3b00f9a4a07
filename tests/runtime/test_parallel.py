"""Work ahead is bounded: by the workers, and by what may wait where results are large."""

import threading

import pytest

from ganvas.runtime.parallel import AHEAD, in_order


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


LATE = """
import sys, threading
import ganvas

def late():
    threading.main_thread().join()
    for event in ganvas.train(sys.argv[1], sys.argv[2], images=8, model="fc", width=8):
        pass
    print(type(event).__name__)

threading.Thread(target=late).start()
"""


def test_a_thread_goes_on_when_the_script_has_ended(tmp_path, images, forking):
    """Python gives no pool another thread then; what it would have done is done here."""
    done = forking.run("-c", LATE, str(images), str(tmp_path / "run"))
    assert (done.returncode, done.stdout) == (0, "Done\n"), done.stderr
    assert (tmp_path / "run" / "checkpoints").is_dir()
