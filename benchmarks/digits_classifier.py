"""The network that digits are scored through: 128 features of a small classifier.

`python benchmarks/digits_classifier.py` trains it when it is not there yet.
"""

import hashlib
from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from record import ROOT
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

WEIGHTS = ROOT / "benchmarks/results/digits_classifier.safetensors"
DIGITS = ROOT / "src/ganvas/assets/digits.npz"

TRAINING, HELD_OUT = slice(0, 9000), slice(9000, 10000)
EPOCHS, BATCH, RATE, SHIFT = 10, 100, 2e-3, 2


class DigitsClassifier(nn.Module):
    """Digits (N, 1, 32, 32) in [-1, 1] to ten logits, through 128 features."""

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

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits (N, 10)."""
        logits: Tensor = self.head(self.penultimate(self.body(pictures)))
        return logits

    @torch.inference_mode()
    def features(self, pictures: Tensor) -> Tensor:
        """The (N, 128) values before the last layer, of (N, 1, 32, 32) pictures in [-1, 1]."""
        batches = torch.split(pictures.float(), 500)
        return torch.cat([self.penultimate(self.body(batch)) for batch in batches])

    @property
    def name(self) -> str:
        """Ends in a fingerprint of the weights: scores compare only when it is the same."""
        digest = hashlib.sha256()
        for tensor in self.state_dict().values():
            digest.update(tensor.numpy().tobytes())
        return f"digits classifier {digest.hexdigest()[:8]}"


def _convolution(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]


def digits() -> tuple[Tensor, Tensor]:
    """All 10,000 digits (10000, 1, 32, 32) in [-1, 1], 28 padded by 2 with black, and labels."""
    with np.load(DIGITS) as file:
        pictures, labels = torch.from_numpy(file["images"]), torch.from_numpy(file["labels"])
    return F.pad(pictures[:, None] / 127.5 - 1, (2, 2, 2, 2), value=-1), labels.long()


def digits_classifier() -> DigitsClassifier:
    """The trained classifier: the committed one, with which figures compare, or trained now."""
    classifier = DigitsClassifier()
    if not WEIGHTS.is_file():
        _train(classifier)
        WEIGHTS.parent.mkdir(exist_ok=True)
        save_file(classifier.state_dict(), WEIGHTS)
    classifier.load_state_dict(load_file(WEIGHTS))
    return classifier.eval()


def held_out_accuracy(classifier: DigitsClassifier) -> float:
    """Share of the 1,000 digits kept out of training that are named correctly."""
    pictures, labels = digits()
    with torch.inference_mode():
        named = classifier(pictures[HELD_OUT]).argmax(1)
    return float((named == labels[HELD_OUT]).double().mean())


def _train(classifier: DigitsClassifier) -> None:
    torch.manual_seed(0)
    classifier.load_state_dict(DigitsClassifier().state_dict())
    pictures, labels = (tensor[TRAINING] for tensor in digits())
    steps = EPOCHS * len(pictures) // BATCH
    optimiser = torch.optim.Adam(classifier.train().parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, steps)
    for rows in _shuffled(len(pictures)):
        optimiser.zero_grad()
        loss = F.cross_entropy(classifier(_shifted(pictures[rows])), labels[rows])
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()


def _shuffled(count: int) -> Iterator[Tensor]:
    for _ in range(EPOCHS):
        yield from torch.split(torch.randperm(count), BATCH)


def _shifted(pictures: Tensor) -> Tensor:
    """The batch moved by up to two pixels each way: the border is black, so no digit is cut."""
    down, right = torch.randint(-SHIFT, SHIFT + 1, (2,)).tolist()
    return pictures.roll((down, right), (2, 3))


if __name__ == "__main__":
    print(f"{held_out_accuracy(digits_classifier()):.1%} of the held-out digits are named right")
