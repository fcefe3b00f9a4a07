"""A small digit classifier: the feature network for digits, and a reader of them."""

import hashlib

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from ganvas.evaluation.features.network import RESIZED, in_batches, on_white
from ganvas.runtime.assets import ASSETS

WEIGHTS = ASSETS / "digits_classifier.safetensors"
SIDE = 32
BATCH = 500


class DigitsClassifier(nn.Module):
    """A classifier from digits (N, 1, 32, 32) in [-1, 1] to ten logits, with 128 features.

    Trained on 9,000 of the digits that come with ganvas, 28 x 28 in a border of two black pixels.
    """

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(1, 16, stride=2),
            *_convolution(16, 32),
            nn.MaxPool2d(2),
            *_convolution(32, 64),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        self.penultimate = nn.Sequential(nn.Linear(64 * 4 * 4, 128), nn.ReLU())
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(128, 10))

    @classmethod
    def load(cls, device: torch.device | str = "cpu") -> "DigitsClassifier":
        """The classifier that comes with ganvas, on `device`; raises FileNotFoundError when it is
        missing."""
        if not WEIGHTS.is_file():
            raise FileNotFoundError(
                f"the weights {WEIGHTS.name} are missing from {WEIGHTS.parent}: reinstall ganvas."
            )
        classifier = cls()
        classifier.load_state_dict(load_file(WEIGHTS))
        return classifier.eval().requires_grad_(False).to(device)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, 10)."""
        logits: Tensor = self.head(self.penultimate(self.body(images)))
        return logits

    @torch.inference_mode()
    def features(self, images: Tensor) -> Tensor:
        """The (N, 128) values before the last layer, of (N, C, H, W) images in [-1, 1]."""
        return in_batches(
            lambda batch: self.penultimate(self.body(_grey(batch))), images, BATCH, self.device
        )

    @torch.inference_mode()
    def read(self, images: Tensor) -> Tensor:
        """The digits (N,), 0 to 9, in (N, C, H, W) images in [-1, 1]."""
        return in_batches(lambda batch: self(_grey(batch)).argmax(1), images, BATCH, self.device)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    @property
    def name(self) -> str:
        """The name, with a fingerprint of the weights: only equal names have comparable scores."""
        digest = hashlib.sha256()
        for tensor in self.state_dict().values():
            digest.update(tensor.cpu().numpy().tobytes())
        return f"digits classifier {digest.hexdigest()[:8]}, {SIDE} px {RESIZED}"


def _grey(images: Tensor) -> Tensor:
    """Grey images (N, 1, 32, 32); those of that size already are unchanged."""
    grey = images.float() if images.shape[1] == 1 else on_white(images).mean(1, keepdim=True)
    if grey.shape[2:] == (SIDE, SIDE):
        return grey
    return F.interpolate(grey, (SIDE, SIDE), mode="bicubic", antialias=True).clamp(-1, 1)


def _convolution(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]
