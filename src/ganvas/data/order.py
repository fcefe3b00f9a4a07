"""Which image comes when: an endless sequence that needs no state but a position."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


def positions(seed: int, start: int, count: int, total: int) -> NDArray[np.int64]:
    """The indices (count,) below `total` shown at positions start … start + count.

    Every epoch of `total` positions shows each image once, in an order of its own that depends
    on the seed. Whoever knows how many images have been seen can go on exactly from there.
    Raises ValueError when there are no images, or for negative numbers.
    """
    if total < 1 or min(seed, start, count) < 0:
        raise ValueError(f"no order for seed {seed}, start {start}, count {count}, total {total}")
    epochs = range(start // total, -(-(start + count) // total))
    shown = [_permutation(seed, epoch, total) for epoch in epochs] or [np.empty(0, np.int64)]
    offset = start - epochs.start * total
    return np.concatenate(shown)[offset : offset + count]


@lru_cache(maxsize=2)
def _permutation(seed: int, epoch: int, total: int) -> NDArray[np.int64]:
    # numpy promises that raw random bits stay the same in all its versions, of shuffles it does not
    bits = np.random.Philox(np.random.SeedSequence((seed, epoch))).random_raw(total)
    order = np.argsort(bits, kind="stable").astype(np.int64)
    order.setflags(write=False)
    return order
