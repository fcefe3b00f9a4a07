"""A discriminator that is too strong: its loss goes to 0, and the generator learns nothing."""

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow

WINDOWS = 16  # a healthy run may begin with a hundred steps of it
LOW = 0.1  # of the loss by chance


def detect(signals: SignalsWindow) -> Evidence | None:
    """A loss near 0 for a long time, with every real image told from every generated one."""
    loss, chance = signals.mean("loss_d", WINDOWS), signals.facts.chance
    sure = signals.mean("r_t", WINDOWS)
    if loss is None or sure is None or not chance or loss > LOW * chance or sure < 0.9:
        return None
    return Evidence(
        f"The discriminator's loss has been {loss:.3f} for {WINDOWS} windows of steps, where one "
        f"that knows nothing has {chance:.2f}: it tells every image, and says nothing more.",
        {"loss_d": loss, "chance": chance, "r_t": sure},
    )
