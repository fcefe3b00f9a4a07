"""Divergence: losses or gradients grow without bound, or are not finite."""

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow

IN_A_ROW = 5  # dropped steps
FAR = 100.0  # times the discriminator's loss at chance


def detect(signals: SignalsWindow) -> Evidence | None:
    """Detect several dropped steps in a row, or a discriminator loss far above chance."""
    if signals.dropped >= IN_A_ROW:
        return Evidence(
            f"{signals.dropped} steps in a row had a loss or gradients that were not finite.",
            {"dropped": signals.dropped},
        )
    loss, chance = signals.mean("loss_d", 1), signals.facts.chance
    if loss is None or not chance or loss < FAR * chance:
        return None
    return Evidence(
        f"The discriminator's loss is {loss:,.0f}; at chance level it is {chance:.2f}.",
        {"loss_d": loss, "chance": chance},
    )
