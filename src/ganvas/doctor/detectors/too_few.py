"""Too few images to learn from without overfitting."""

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow

FEW = 100


def detect(signals: SignalsWindow) -> Evidence | None:
    """Detect fewer than a hundred images."""
    count = signals.facts.images
    if count >= FEW:
        return None
    said = "There is only 1 image" if count == 1 else f"There are only {count} images"
    return Evidence(
        f"{said}, fewer than {FEW}: samples will stay close to them.",
        {"images": count},
    )
