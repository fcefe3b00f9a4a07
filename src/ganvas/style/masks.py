"""Where a style belongs: a picture of weights, as every layer of the network sees it."""

from collections.abc import Iterable

from torch import Tensor
from torch.nn import functional as F

from ganvas.style.tiles import Block
from ganvas.vision.vgg19 import stride


class Mask:
    """Weights (H, W) from 0 to 1, averaged over the pixels of each activation."""

    def __init__(self, weights: Tensor) -> None:
        self.levels = {1: weights}
        for step in (2, 4, 8, 16):
            self.levels[step] = F.avg_pool2d(weights[None, None], step)[0, 0]

    @property
    def share(self) -> float:
        """The part of the picture that it covers."""
        return float(self.levels[1].mean())

    def at(self, layer: str, block: Block) -> Tensor:
        """Weights of a block's own activations (h, w)."""
        step = stride(layer)
        return self.levels[step][block.place(step)]

    def total(self, layer: str) -> float:
        """The sum of all weights: 0 for a region too small to be seen by this layer."""
        return float(self.levels[stride(layer)].sum())

    def seen_by(self, layers: Iterable[str]) -> list[str]:
        """The layers that see anything of the region."""
        return [layer for layer in layers if self.total(layer) > 0]
