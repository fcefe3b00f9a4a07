"""EfficientNet-Lite0 as a feature network for evaluation."""

from pathlib import Path

import torch
from torch import Tensor

from ganvas.evaluation.features.network import RESIZED, in_batches, prepare
from ganvas.pretrained.lite0 import DEEPEST, NAME, WEIGHTS, Lite0

INPUT = 128
BATCH = 16  # small enough for activations to stay in the CPU's cache


class EfficientNetLite0:
    """Global averages of the last layer of EfficientNet-Lite0: 1,280 values in [0, 6]."""

    name = f"{NAME}, average of the last layer, {INPUT} px {RESIZED}"

    def __init__(self, weights: Path = WEIGHTS, device: torch.device | str = "cpu") -> None:
        """Load `weights` onto `device`; raises FileNotFoundError when the file is missing."""
        self.network = Lite0(weights, device=device)

    @torch.inference_mode()
    def features(self, images: Tensor) -> Tensor:
        """(N, 1280) float32 features of (N, C, H, W) images in [-1, 1], C = 1, 3 or 4.

        Grey images are repeated to RGB and transparent ones composited on white, see `prepare`.
        Raises ValueError for another shape.
        """
        return in_batches(self._averages, images, BATCH, self.network.device)

    def _averages(self, images: Tensor) -> Tensor:
        return self.network(prepare(images, INPUT), [DEEPEST])[DEEPEST].mean((2, 3))
