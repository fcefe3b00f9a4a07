"""Feature networks: pretrained networks for evaluation and style transfer.

To add one for evaluation, write its file and add its line to FEATURES.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from ganvas.evaluation.features.digits import DigitsClassifier
from ganvas.evaluation.features.foreign import Foreign
from ganvas.evaluation.features.inception import FeaturesError, Inception
from ganvas.evaluation.features.lite0 import EfficientNetLite0
from ganvas.evaluation.features.network import FeatureNetwork
from ganvas.evaluation.features.vgg19 import VGG19Averages
from ganvas.registry import choose
from ganvas.runtime.names import expand


@dataclass(frozen=True)
class Features:
    """A feature network in the catalogue, and what it is good for."""

    open: Callable[[torch.device], FeatureNetwork]
    summary: str


DEFAULT = "vgg19"  # models learn through lite0, and none through this one
FEATURES = {
    "vgg19": Features(VGG19Averages, "VGG-19 up to conv5_1, for images of any kind"),
    "lite0": Features(
        lambda device: EfficientNetLite0(device=device),
        "EfficientNet-Lite0, more tolerant of noise",
    ),
    "digits": Features(DigitsClassifier.load, "a small digits classifier, for digits"),
    "inception": Features(
        lambda device: Inception(device=device),
        "Inception-v3 of torch-fidelity, for FID and KID as in papers (an extra)",
    ),
}


def feature_network(name: str, device: torch.device | str = "cpu") -> FeatureNetwork:
    """The network of this name, or in a user's TorchScript or ONNX file, which computes on
    `device`.

    Raises UnknownNameError, or FeaturesError where it cannot be loaded.
    """
    if name in FEATURES or not Path(name).suffix:
        return choose("feature network", FEATURES, name).open(torch.device(device))
    return Foreign(expand(name), device)


__all__ = [
    "DEFAULT",
    "FEATURES",
    "DigitsClassifier",
    "EfficientNetLite0",
    "FeatureNetwork",
    "Features",
    "FeaturesError",
    "Foreign",
    "Inception",
    "VGG19Averages",
    "feature_network",
]
