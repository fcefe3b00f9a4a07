"""Estimate the memory that a training step needs.

Besides its networks, a step needs the activations that are kept for the backward pass, in
proportion to the images processed at once. If a batch does not fit, it is divided into
micro-batches whose gradients are accumulated: the step is the same, and takes a little longer. Only
batch statistics, as in batch normalisation, are then computed over a micro-batch.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from ganvas.errors import GanvasError

GIGABYTE = 1e9
BASE = 0.5 * GIGABYTE  # Python, torch, and the part of the image file that is mapped
COPIES = 4  # of every weight: itself, its gradient, and two moments of Adam
MARGIN = 1.8  # temporary tensors beside the kept ones: see benchmarks/NOTES.md, "Memory"
_MESSAGES = ("can't allocate memory", "not enough memory", "out of memory")


class NotEnoughMemoryError(GanvasError, MemoryError):
    """Not even the smallest micro-batch of a batch fits into memory."""


@dataclass(frozen=True)
class Need:
    """Bytes that training takes: a fixed amount, and one for each image processed at once."""

    fixed: float
    image: float

    def of(self, images: int) -> float:
        """Bytes for this number of images at once."""
        return self.fixed + self.image * images

    def most(self, limit: float) -> int:
        """How many images at once stay within `limit` bytes; 0 if not even one does."""
        return max(0, int((limit - self.fixed) / self.image))


def need(
    learning: nn.Module, average: nn.Module, kept: Callable[[int], int], counts: tuple[int, int]
) -> Need:
    """Extrapolate from two small batches: `kept(count)` are the bytes kept in a step of `count`.

    `learning` holds everything that an optimiser updates; `average` is only copied into.
    """
    fewer, more = counts
    small, large = kept(fewer), kept(more)
    each = max(1.0, (large - small) / (more - fewer))
    weights = COPIES * _bytes(learning) + _bytes(average)
    return Need(BASE + weights + max(0.0, small - each * fewer), MARGIN * each)


def exhausted(fault: BaseException) -> bool:
    """Whether this fault means that memory ran out; torch has several messages for it."""
    if isinstance(fault, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(fault, RuntimeError) and any(words in str(fault) for words in _MESSAGES)


class Kept:
    """Counts the bytes that are kept for the backward pass, and their peak.

    Weights do not count, and several views of one storage count once.
    """

    def __init__(self, model: nn.Module) -> None:
        self.peak = 0
        self._now = 0
        self._weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
        self._users: dict[int, int] = {}

    def watching(self) -> saved_tensors_hooks:
        """A context in which it counts."""
        return saved_tensors_hooks(self._pack, _unpack)

    def _pack(self, tensor: Tensor) -> "_Holder":
        storage = tensor.untyped_storage()
        where, size = storage.data_ptr(), storage.nbytes()
        if where not in self._weights:
            users = self._users.get(where, 0)
            self._users[where] = users + 1
            self._now += 0 if users else size
            self.peak = max(self.peak, self._now)
        return _Holder(tensor, self)

    def release(self, tensor: Tensor) -> None:
        """Note that one user of this tensor has released it."""
        storage = tensor.untyped_storage()
        where = storage.data_ptr()
        if where in self._users:
            self._users[where] -= 1
            if not self._users[where]:
                del self._users[where]
                self._now -= storage.nbytes()


class _Holder:
    """Holds a tensor, and reports when it is released."""

    def __init__(self, tensor: Tensor, kept: Kept) -> None:
        self.tensor, self.kept = tensor, kept

    def __del__(self) -> None:
        self.kept.release(self.tensor)


def _unpack(holder: _Holder) -> Tensor:
    return holder.tensor


def _bytes(network: nn.Module) -> int:
    return sum(tensor.nbytes for tensor in [*network.parameters(), *network.buffers()])
