"""A discriminator that is too strong: its loss goes to 0, and the generator learns nothing."""

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow

WINDOWS = 16  # a healthy run may begin with a hundred such steps
LOW = 0.1  # of the loss at chance


def detect(signals: SignalsWindow) -> Evidence | None:
    """Detect a loss that stays near 0 while real and generated images are separated perfectly."""
    loss, chance = signals.mean("loss_d", WINDOWS), signals.facts.chance
    r_t = signals.mean("r_t", WINDOWS)
    if loss is None or r_t is None or not chance or loss > LOW * chance or r_t < 0.9:
        return None
    return Evidence(
        f"The discriminator's loss has been {loss:.3f} for {WINDOWS} windows of steps (chance "
        f"level: {chance:.2f}): it separates real from fake perfectly, so the generator gets "
        "almost no gradient.",
        {"loss_d": loss, "chance": chance, "r_t": r_t},
    )
