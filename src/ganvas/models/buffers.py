"""Restoring buffers of networks, such as running statistics, after a forward pass."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def buffers_restored(network: nn.Module, on_failure_only: bool = False) -> Iterator[None]:
    """Restore every buffer after the block, or only if the block raised an exception.

    The forward pass of a failed step may have put NaN into running statistics already.
    """
    before = [buffer.clone() for buffer in network.buffers()]
    failed = True
    try:
        yield
        failed = False
    finally:
        if failed or not on_failure_only:
            for buffer, old in zip(network.buffers(), before, strict=True):
                buffer.copy_(old)
