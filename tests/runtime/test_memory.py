"""A budget that several threads share."""

import threading
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from ganvas.runtime import memory
from ganvas.runtime.memory import Budget, available


def test_what_a_container_leaves_counts(tmp_path, monkeypatch):
    limit, used = tmp_path / "max", tmp_path / "current"
    monkeypatch.setattr(memory, "_CGROUPS", ((str(limit), str(used)),))
    free = psutil.virtual_memory().available
    limit.write_text("max\n")
    used.write_text("5\n")
    assert abs(available() - free) < 2**30
    limit.write_text("1000\n")
    assert available() == 995
    used.write_text("2000\n")
    assert available() == 0


def test_never_more_at_a_time_than_the_budget():
    budget, lock = Budget(100), threading.Lock()
    now, most = 0, 0

    def work(size):
        nonlocal now, most
        with budget.reserved(size):
            with lock:
                now += size
                most = max(most, now)
            threading.Event().wait(0.002)
            with lock:
                now -= size

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, [60, 30, 50, 100, 10, 70] * 5))
    assert now == 0
    assert most <= 100


def test_what_never_fits_is_refused_at_once(monkeypatch):
    with pytest.raises(MemoryError), Budget(100).reserved(101):
        pass
    monkeypatch.setattr(memory, "available", lambda: 50)
    with pytest.raises(MemoryError), Budget(100).reserved(26):
        pass
    with Budget(100).reserved(25):
        pass


def test_room_is_given_back_after_an_error():
    budget = Budget(100)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), budget.reserved(100):
            raise ZeroDivisionError
