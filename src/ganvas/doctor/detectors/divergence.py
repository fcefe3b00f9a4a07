"""Divergence: numbers grow without bound, or are no numbers any more."""

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import Chart

IN_A_ROW = 5  # dropped steps
FAR = 100.0  # times the discriminator's loss by chance


def detect(chart: Chart) -> Evidence | None:
    """Steps that give nothing finite, one after the other, or a loss out of all proportion."""
    if chart.dropped >= IN_A_ROW:
        return Evidence(
            f"{chart.dropped} steps in a row gave no finite loss.", {"dropped": chart.dropped}
        )
    loss, chance = chart.mean("loss_d", 1), chart.facts.chance
    if loss is None or not chance or loss < FAR * chance:
        return None
    return Evidence(
        f"The discriminator's loss is {loss:,.0f}, where one that knows nothing has {chance:.2f}.",
        {"loss_d": loss, "chance": chance},
    )
