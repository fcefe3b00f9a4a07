"""The definition of an issue: how it is detected, and what helps."""

from collections.abc import Callable
from dataclasses import dataclass

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow
from ganvas.doctor.treatments import TreatmentFunction


@dataclass(frozen=True)
class Issue:
    """One line of the table of issues."""

    detect: Callable[[SignalsWindow], Evidence | None]
    summary: str
    treatments: tuple[TreatmentFunction, ...]
    """Treatments to try one after the other, from gentle to strong."""
    by_hand: str
    """What a user can do, in one sentence."""
    windows: int = 32
    """Windows without detecting it again after which the treatment counts as successful."""
    lasting: bool = False
    """Whether it lies in the images, so that no treatment can remove it."""
    fatal: bool = False
    """Whether a run that still has it after all treatments is given up."""
