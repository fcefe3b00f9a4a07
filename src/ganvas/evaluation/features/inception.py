"""Inception-v3 as in torch-fidelity, the network behind the FID of papers."""

import os
from pathlib import Path

import torch
from torch import Tensor

from ganvas.errors import GanvasError
from ganvas.evaluation.features.network import in_batches, on_white
from ganvas.runtime.names import expand

FILE = "weights-inception-2015-12-05-6726825d.pth"  # as torch-fidelity publishes it
VARIABLE = "GANVAS_INCEPTION"
BATCH = 16


class FeaturesError(GanvasError, ValueError):
    """A feature network cannot be used; the message says what to do."""


class Inception:
    """The 2,048 global averages of Inception-v3 (Szegedy et al., 2015), as used for FID.

    The weights are Google's, and images are resized as in TensorFlow. The network is
    torch-fidelity's (Obukhov et al., 2020). Neither it nor its weights come with ganvas, and
    nothing is downloaded.
    """

    name = "Inception-v3 of torch-fidelity, 2048, 299 px bilinear as in TensorFlow 1"

    def __init__(self, weights: Path | None = None, device: torch.device | str = "cpu") -> None:
        """Load `weights`, or the file in torch-fidelity's usual place; raises FeaturesError."""
        try:
            from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
        except ImportError as error:
            raise FeaturesError(
                f"--features inception needs torch-fidelity ({error}): pip install "
                "'ganvas[inception]', or choose another feature network."
            ) from None
        path = weights or _usual_place()
        _check(path)
        self.network = FeatureExtractorInceptionV3(
            "inception-v3-compat", ["2048"], feature_extractor_weights_path=str(path)
        ).to(device)
        self.device = torch.device(device)

    @torch.inference_mode()
    def features(self, images: Tensor) -> Tensor:
        """(N, 2048) float32 features of (N, C, H, W) images in [-1, 1], C = 1, 3 or 4."""
        return in_batches(self._averages, images, BATCH, self.device)

    def _averages(self, images: Tensor) -> Tensor:
        shown = on_white(images).add(1).mul(127.5).round().clamp(0, 255).byte()
        found: Tensor = self.network(shown)[0]
        return found.float()


def _usual_place() -> Path:
    if chosen := os.environ.get(VARIABLE):
        return expand(chosen)
    return Path(torch.hub.get_dir()) / "checkpoints" / FILE


def _check(path: Path) -> None:
    """Raises FeaturesError unless a file holds tensors only, since torch-fidelity would unpickle
    and run any code in it."""
    if not path.is_file():
        raise FeaturesError(
            f"--features inception: its weights are not at {path}; put {FILE} of torch-fidelity's "
            f"releases there, or say in {VARIABLE} where they are."
        )
    try:
        torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged files raise nearly every class of exception
        raise FeaturesError(f"{path} is damaged, or holds more than weights.") from error
