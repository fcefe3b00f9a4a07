"""Freed memory stays while it is wanted, and goes back afterwards."""

import sys

import psutil
import pytest
import torch

from ganvas.runtime.allocation import memory_kept

SIZE = 200 * 2**20


def resident():
    return psutil.Process().memory_info().rss


@pytest.mark.skipif(sys.platform != "linux", reason="other systems are left alone")
def test_memory_is_kept_and_given_back():
    before = resident()
    with memory_kept():
        block = torch.ones(SIZE, dtype=torch.uint8)
        del block
        kept = resident() - before
    after = resident() - before
    assert kept > 0.8 * SIZE
    assert after < 0.2 * SIZE


def test_errors_pass_through():
    with pytest.raises(KeyError), memory_kept():
        raise KeyError
