"""Swapped labels: the discriminator learns to call real images generated."""

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow

WINDOWS = 6
REVERSED = -0.8
LOW = 0.5  # of the loss at chance


def detect(signals: SignalsWindow) -> Evidence | None:
    """Detect a discriminator whose loss is low while it takes generated images for real."""
    r_t, loss = signals.mean("r_t", WINDOWS), signals.mean("loss_d", WINDOWS)
    chance = signals.facts.chance
    if r_t is None or loss is None or not chance or r_t > REVERSED or loss > LOW * chance:
        return None
    return Evidence(
        "The discriminator's loss is low while it takes generated images for real ones, and real "
        "ones for generated: the labels of its loss are swapped.",
        {"r_t": r_t, "loss_d": loss, "chance": chance},
    )
