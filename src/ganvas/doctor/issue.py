"""What an issue is: how it is seen, and what helps."""

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
    """What is tried, from gentle to strong."""
    by_hand: str
    """What a user can do, in one sentence."""
    windows: int = 32
    """For how long it must not be seen again to be called cured."""
    lasting: bool = False
    """Whether it lies in the images, and no treatment makes it go away."""
    fatal: bool = False
    """Whether a run that keeps it is not worth going on with."""
