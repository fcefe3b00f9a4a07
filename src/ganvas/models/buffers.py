"""Buffers of networks, such as running statistics, put back after a forward pass."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def buffers_restored(network: nn.Module, on_failure_only: bool = False) -> Iterator[None]:
    """Give every buffer back the value that it had before the block, always or after an exception:
    the forward pass of a step that fails has already spoilt them."""
    before = [buffer.clone() for buffer in network.buffers()]
    failed = True
    try:
        yield
        failed = False
    finally:
        if failed or not on_failure_only:
            for buffer, old in zip(network.buffers(), before, strict=True):
                buffer.copy_(old)
