"""The images that contestants train on: the same for all, prepared as ganvas prepares them."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from ganvas.data import DataSettings, ImageDataset, prepare
from ganvas.imaging.tensors import to_floats


def prepared(
    source: str,
    size: int,
    cache: Path | None = None,
    watch: Callable[[], None] | None = None,
) -> ImageDataset:
    """The images of a source at size x size, decoded now or before; `watch` sees it happen."""
    steps = prepare(source, DataSettings(size=str(size)), cache=cache)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            images: ImageDataset = end.value
            return images
        if watch is not None:
            watch()


def as_tensor(images: ImageDataset) -> Tensor:
    """All of them, (N, C, H, W) in [-1, 1], channels first as tutorials have them."""
    everything = images.batch(range(len(images)))
    return to_floats(torch.from_numpy(everything)).contiguous()
