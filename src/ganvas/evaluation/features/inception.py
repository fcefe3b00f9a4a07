"""Inception-v3, through which papers give their Fréchet distances: where torch-fidelity has it."""

import os
from pathlib import Path

import torch
from torch import Tensor

from ganvas.errors import GanvasError
from ganvas.evaluation.features.network import on_white
from ganvas.runtime.names import expand

FILE = "weights-inception-2015-12-05-6726825d.pth"  # as torch-fidelity publishes it
VARIABLE = "GANVAS_INCEPTION"
BATCH = 16


class FeaturesError(GanvasError, ValueError):
    """A feature network that cannot be had; the message says what to do."""


class Inception:
    """The 2,048 averages of Szegedy et al. (2015) with Google's weights, as TensorFlow resizes.

    The network is torch-fidelity's (Obukhov et al., 2020), which also says "FID" for it. Neither it
    nor its weights come with ganvas, and nothing is downloaded.
    """

    name = "Inception-v3 of torch-fidelity, 2048, 299 px bilinear as in TensorFlow 1"

    def __init__(self, weights: Path | None = None) -> None:
        """Read `weights`, or the file where torch-fidelity keeps it; raises FeaturesError."""
        try:
            from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
        except ImportError as error:
            raise FeaturesError(
                f"--features inception needs torch-fidelity ({error}): pip install "
                "'ganvas[inception]', or take another of the networks."
            ) from None
        path = weights or _usual_place()
        _check(path)
        self.network = FeatureExtractorInceptionV3(
            "inception-v3-compat", ["2048"], feature_extractor_weights_path=str(path)
        )

    @torch.inference_mode()
    def features(self, images: Tensor) -> Tensor:
        """(N, 2048) float32 features of (N, C, H, W) images in [-1, 1], C = 1, 3 or 4."""
        found = []
        for batch in torch.split(images, BATCH):
            shown = on_white(batch).add(1).mul(127.5).round().clamp(0, 255).byte()
            found.append(self.network(shown)[0].float())
        return torch.cat(found)


def _usual_place() -> Path:
    if chosen := os.environ.get(VARIABLE):
        return expand(chosen)
    return Path(torch.hub.get_dir()) / "checkpoints" / FILE


def _check(path: Path) -> None:
    """Tensors alone: torch-fidelity would also run code that a file holds."""
    if not path.is_file():
        raise FeaturesError(
            f"--features inception: its weights are not at {path}; put {FILE} of torch-fidelity's "
            f"releases there, or say in {VARIABLE} where they are."
        )
    try:
        torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # readers of damaged files raise nearly every class of it
        raise FeaturesError(f"{path} is damaged, or holds more than weights.") from error
