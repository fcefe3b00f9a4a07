"""Too few images: there is not enough to learn a kind of image from."""

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow

FEW = 100


def detect(signals: SignalsWindow) -> Evidence | None:
    """Fewer than a hundred."""
    count = signals.facts.images
    if count >= FEW:
        return None
    return Evidence(
        f"There are {count} images, and {FEW} of one kind are few: what comes out will be close "
        "to them.",
        {"images": count},
    )
