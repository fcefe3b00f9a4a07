"""The order of images: an endless shuffled sequence without state."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


def positions(seed: int, start: int, count: int, total: int) -> NDArray[np.int64]:
    """The indices (count,) below `total` at positions start … start + count.

    Every epoch of `total` positions holds each image once, in its own order, which depends on the
    seed. The number of images seen is enough to resume exactly. Raises ValueError if there are no
    images, or for negative numbers.
    """
    if total < 1 or min(seed, start, count) < 0:
        raise ValueError(f"no order for seed {seed}, start {start}, count {count}, total {total}")
    epochs = range(start // total, -(-(start + count) // total))
    shown = [_permutation(seed, epoch, total) for epoch in epochs] or [np.empty(0, np.int64)]
    offset = start - epochs.start * total
    return np.concatenate(shown)[offset : offset + count]


@lru_cache(maxsize=2)
def _permutation(seed: int, epoch: int, total: int) -> NDArray[np.int64]:
    # numpy guarantees that raw random bits stay the same across versions; shuffles may change.
    bits = np.random.Philox(np.random.SeedSequence((seed, epoch))).random_raw(total)
    order = np.argsort(bits, kind="stable").astype(np.int64)
    order.setflags(write=False)
    return order
