"""What a detector has seen."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """Why an issue is suspected: a sentence with figures, and the figures."""

    sentence: str
    figures: Mapping[str, float]
