"""Growth animations: the resolutions of a generator one after the other, each faded in."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from ganvas.models.pyramid import enlarge


def growing(pyramid: Sequence[Tensor], hold: int, fade: int) -> Iterator[Tensor]:
    """Frames (N, C, H, W) from the coarsest to the finest resolution, all at full size.

    `pyramid` holds the same images at every resolution, coarsest first. Each is shown for `hold`
    frames, then fades into the next for `fade` frames, as in progressive growing.
    """
    sides = tuple(pyramid[-1].shape[1:])
    large = [enlarge(image, (sides[0], sides[1], sides[2])) for image in pyramid]
    before = large[0]
    for after in [*large[1:], large[-1]]:
        yield from [before] * hold
        if after is not before:
            yield from (before.lerp(after, share.item()) for share in torch.linspace(0, 1, fade))
        before = after
