"""The number of threads, with steps whose time is part of the test."""

import pytest
import torch

from ganvas.runtime import threads, timing


@pytest.fixture
def step_taking(monkeypatch):
    """A step that takes the seconds that its number of threads needs."""

    def make(seconds):
        now = [0.0]
        for clock in ("monotonic", "perf_counter"):
            monkeypatch.setattr(timing.time, clock, lambda: now[0])

        def step():
            now[0] += seconds[torch.get_num_threads()]

        return step

    return make


@pytest.fixture
def four_threads():
    with threads.using(4):
        yield


@pytest.mark.usefixtures("four_threads")
@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ({4: 1.0, 3: 1.2, 2: 1.8, 1: 3.5}, 4),  # an idle machine
        ({4: 9.0, 3: 1.2, 2: 1.8, 1: 3.5}, 3),  # one core is busy with something else
        ({4: 9.0, 3: 8.0, 2: 7.9, 1: 3.5}, 1),
        ({4: 1.0, 3: 0.95, 2: 1.8, 1: 3.5}, 4),  # too little to be sure
    ],
)
def test_as_many_threads_as_pay(seconds, expected, step_taking):
    assert threads.fastest(step_taking(seconds), limit=100.0) == expected
    assert torch.get_num_threads() == 4


@pytest.mark.usefixtures("four_threads")
def test_timing_ends_at_its_limit(step_taking):
    step = step_taking({4: 60.0, 3: 60.0, 2: 60.0, 1: 60.0})
    assert threads.fastest(step, limit=1.0) == 4
    assert timing.time.monotonic() <= 4 * 60.0


def test_a_single_thread_is_not_timed():
    with threads.using(1):
        assert threads.fastest(lambda: None, limit=1.0) == 1
