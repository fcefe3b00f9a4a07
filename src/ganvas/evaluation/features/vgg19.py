"""VGG-19 as a feature network for evaluation."""

import torch
from torch import Tensor

from ganvas.evaluation.features.network import RESIZED, in_batches, prepare
from ganvas.pretrained.vgg19 import LAYERS, VGG19
from ganvas.runtime.precision import choose_precision

SMALL, LARGE = 64, 128  # pixels: what images of up to 64 pixels are resized to, and larger ones
BATCH = 8
LAYER = LAYERS[-1]  # shallower layers respond to texture only, and rate any blurred image badly


class VGG19Averages:
    """Global averages of the last layer that comes with ganvas: 512 values, 0 or more.

    Convolutions are computed in bf16 where that is fast, a fifth of the time: metrics differ by
    less than what other samples change (benchmarks/NOTES.md, "The judge").
    """

    name = f"VGG-19, average of {LAYER}, {SMALL} or {LARGE} px {RESIZED}"

    def __init__(self, device: torch.device | str = "cpu") -> None:
        """Load the weights onto `device`; raises WeightsError."""
        coarse = choose_precision("auto", torch.device(device)).bf16
        dtype = torch.bfloat16 if coarse else torch.float32
        self.network = VGG19.load(dtype=dtype, device=device)

    @torch.inference_mode()
    def features(self, images: Tensor) -> Tensor:
        """(N, 512) float32 features of (N, C, H, W) images in [-1, 1], C = 1, 3 or 4."""
        return in_batches(self._averages, images, BATCH, self.network.device)

    def _averages(self, images: Tensor) -> Tensor:
        side = SMALL if max(images.shape[2:]) <= SMALL else LARGE
        shown = (prepare(images, side) + 1) / 2
        return self.network(shown, [LAYER])[LAYER].float().mean((2, 3))
