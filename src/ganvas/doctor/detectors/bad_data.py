"""Bad data: images that show nothing, the same one again and again, or two kinds mixed."""

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow

MOST, MIXED = 0.5, 0.25


def detect(signals: SignalsWindow) -> Evidence | None:
    """More than half of the images constant or repeated, or a quarter grey among coloured."""
    for name, what in (
        ("constant", "show one flat colour"),
        ("repeated", "are there more than once"),
    ):
        share = signals.found(name, 1)
        if share and share[0] > MOST:
            return Evidence(f"{share[0]:.0%} of the images {what}.", {name: share[0]})
    coloured = signals.found("coloured", 1)
    if coloured and MIXED < coloured[0] < 1 - MIXED:
        return Evidence(
            f"{coloured[0]:.0%} of the images have colours and the others have none: they look "
            "like two kinds of image in one folder.",
            {"coloured": coloured[0]},
        )
    return None
