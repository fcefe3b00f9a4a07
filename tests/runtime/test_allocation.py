"""Freed memory stays while it is wanted, and goes back afterwards."""

import sys

import pytest

from ganvas.runtime.allocation import memory_kept

SIZE = 200 * 2**20


PROGRAM = f"""
import psutil, torch
from ganvas.runtime.allocation import memory_kept
resident = lambda: psutil.Process().memory_info().rss
before = resident()
with memory_kept():
    block = torch.ones({SIZE}, dtype=torch.uint8)
    del block
    print(resident() - before)
print(resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems are left alone")
def test_memory_is_kept_and_given_back(forking):
    """In a process of its own, where nothing else gives memory back meanwhile."""
    kept, after = map(int, forking.run("-c", PROGRAM).stdout.split())
    assert kept > 0.8 * SIZE
    assert after < 0.2 * SIZE


def test_errors_pass_through():
    with pytest.raises(KeyError), memory_kept():
        raise KeyError
