"""Labels that are swapped: the discriminator learns that real images are generated ones."""

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow

WINDOWS = 6
SURE = -0.8
LOW = 0.5  # of the loss by chance


def detect(signals: SignalsWindow) -> Evidence | None:
    """A discriminator that learns well, by its loss, and takes generated images for real."""
    sure, loss = signals.mean("r_t", WINDOWS), signals.mean("loss_d", WINDOWS)
    chance = signals.facts.chance
    if sure is None or loss is None or not chance or sure > SURE or loss > LOW * chance:
        return None
    return Evidence(
        "The discriminator's loss falls while it takes generated images for real ones, and real "
        "ones for generated: the labels of its loss are swapped.",
        {"r_t": sure, "loss_d": loss, "chance": chance},
    )
