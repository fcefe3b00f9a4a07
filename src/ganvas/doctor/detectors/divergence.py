"""Divergence: numbers grow without bound, or are no numbers any more."""

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow

IN_A_ROW = 5  # dropped steps
FAR = 100.0  # times the discriminator's loss by chance


def detect(signals: SignalsWindow) -> Evidence | None:
    """Steps that give nothing finite, one after the other, or a loss out of all proportion."""
    if signals.dropped >= IN_A_ROW:
        return Evidence(
            f"{signals.dropped} steps in a row gave no finite loss.", {"dropped": signals.dropped}
        )
    loss, chance = signals.mean("loss_d", 1), signals.facts.chance
    if loss is None or not chance or loss < FAR * chance:
        return None
    return Evidence(
        f"The discriminator's loss is {loss:,.0f}, where one that knows nothing has {chance:.2f}.",
        {"loss_d": loss, "chance": chance},
    )
