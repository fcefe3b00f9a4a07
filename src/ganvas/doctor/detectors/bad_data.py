"""Bad data: blank images, repeated images, or colour and grey ones mixed."""

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow

MOST, MIXED = 0.5, 0.25


def detect(signals: SignalsWindow) -> Evidence | None:
    """Detect more than half of the images blank or repeated, or more than a quarter each of
    coloured and of grey ones."""
    for name, what in (
        ("constant", "show one flat colour"),
        ("repeated", "occur more than once"),
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
