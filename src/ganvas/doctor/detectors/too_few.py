"""Too few images: there is not enough to learn a kind of image from."""

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import Chart

FEW = 100


def detect(chart: Chart) -> Evidence | None:
    """Fewer than a hundred."""
    count = chart.facts.images
    if count >= FEW:
        return None
    return Evidence(
        f"There are {count} images, and {FEW} of one kind are few: what comes out will be close "
        "to them.",
        {"images": count},
    )
