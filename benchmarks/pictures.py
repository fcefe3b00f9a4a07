"""The pictures that contestants train on: the same for all, prepared as ganvas prepares them."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from ganvas.data import DataSettings, Pictures, prepare
from ganvas.imaging.tensors import to_floats


def prepared(
    source: str,
    size: int,
    cache: Path | None = None,
    watch: Callable[[], None] | None = None,
) -> Pictures:
    """The pictures of a source at size x size, decoded now or before; `watch` sees it happen."""
    steps = prepare(source, DataSettings(size=str(size)), cache=cache)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            pictures: Pictures = end.value
            return pictures
        if watch is not None:
            watch()


def as_tensor(pictures: Pictures) -> Tensor:
    """All of them, (N, C, H, W) in [-1, 1], channels first as tutorials have them."""
    everything = pictures.batch(range(len(pictures)))
    return to_floats(torch.from_numpy(everything)).contiguous()
