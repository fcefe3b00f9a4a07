"""How the network was trained that digits are scored through; figures compare only through it.

`python benchmarks/digits_classifier.py` trains it where there is none, and says how well it reads.
"""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from ganvas.evaluation.features.digits import WEIGHTS, DigitsClassifier
from ganvas.runtime.assets import ASSETS

DIGITS = ASSETS / "digits.npz"

TRAINING, HELD_OUT = slice(0, 9000), slice(9000, 10000)
EPOCHS, BATCH, RATE, SHIFT = 10, 100, 2e-3, 2


def digits() -> tuple[Tensor, Tensor]:
    """All 10,000 digits (10000, 1, 32, 32) in [-1, 1], 28 padded by 2 with black, and labels."""
    with np.load(DIGITS) as file:
        images, labels = torch.from_numpy(file["images"]), torch.from_numpy(file["labels"])
    return F.pad(images[:, None] / 127.5 - 1, (2, 2, 2, 2), value=-1), labels.long()


def held_out_accuracy(classifier: DigitsClassifier) -> float:
    """Share of the 1,000 digits kept out of training that are named correctly."""
    images, labels = digits()
    read = classifier.read(images[HELD_OUT])
    return float((read == labels[HELD_OUT]).double().mean())


def _train(classifier: DigitsClassifier) -> None:
    torch.manual_seed(0)
    classifier.load_state_dict(DigitsClassifier().state_dict())
    images, labels = (tensor[TRAINING] for tensor in digits())
    steps = EPOCHS * len(images) // BATCH
    optimiser = torch.optim.Adam(classifier.train().parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, steps)
    for rows in _shuffled(len(images)):
        optimiser.zero_grad()
        loss = F.cross_entropy(classifier(_shifted(images[rows])), labels[rows])
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()


def _shuffled(count: int) -> Iterator[Tensor]:
    for _ in range(EPOCHS):
        yield from torch.split(torch.randperm(count), BATCH)


def _shifted(images: Tensor) -> Tensor:
    """The batch moved by up to two pixels each way: the border is black, so no digit is cut."""
    down, right = torch.randint(-SHIFT, SHIFT + 1, (2,)).tolist()
    return images.roll((down, right), (2, 3))


if __name__ == "__main__":
    if not WEIGHTS.is_file():
        trained = DigitsClassifier()
        _train(trained)
        save_file(trained.state_dict(), WEIGHTS)
    print(f"{held_out_accuracy(DigitsClassifier.load()):.1%} of the held-out digits are read right")
