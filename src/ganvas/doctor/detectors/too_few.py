"""Too few images to learn from without overfitting."""

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow

FEW = 100


def detect(signals: SignalsWindow) -> Evidence | None:
    """Detect fewer than a hundred images."""
    count = signals.facts.images
    if count >= FEW:
        return None
    return Evidence(
        f"There are only {count} images, fewer than {FEW}: samples will stay close to them.",
        {"images": count},
    )
