"""Training losses. To add an adversarial loss, write its two functions, then add its line here."""

from dataclasses import dataclass

from ganvas.losses import adversarial
from ganvas.losses.adversarial import AdversarialLoss


@dataclass(frozen=True)
class LossSpec:
    """An adversarial loss in the catalogue."""

    loss: AdversarialLoss
    summary: str


ADVERSARIAL_LOSSES = {
    "bce": LossSpec(adversarial.bce, "cross-entropy, non-saturating: the lesson's"),
    "saturating": LossSpec(adversarial.saturating, "cross-entropy, the minimax game itself"),
    "least-squares": LossSpec(adversarial.least_squares, "squared distance to the labels"),
    "hinge": LossSpec(adversarial.hinge, "scores beyond the margin do not count"),
    "wasserstein": LossSpec(adversarial.wasserstein, "distance of mean scores, with --gp 10"),
    "relativistic": LossSpec(adversarial.relativistic, "each fake against a real image"),
    "relativistic-hinge": LossSpec(
        adversarial.relativistic_hinge, "hinge, each score against the mean of the other side"
    ),
}

__all__ = ["ADVERSARIAL_LOSSES", "AdversarialLoss", "LossSpec"]
