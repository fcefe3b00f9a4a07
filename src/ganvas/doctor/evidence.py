"""The evidence that a detector returns."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """Why an issue is suspected: a sentence, and the figures that it quotes."""

    sentence: str
    figures: Mapping[str, float]
