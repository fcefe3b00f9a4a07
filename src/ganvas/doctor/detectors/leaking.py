"""Leaking augmentation: the generator generates the variations that only judging was to see."""

from math import sqrt

from ganvas.augmentation.diffaugment import BRIGHTEST, FARTHEST
from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow

PROBES = 3
# Half of what uniform variations by the most that there is would add to their standard deviation.
LEAKS = {"moved": FARTHEST / sqrt(12), "brightened": BRIGHTEST / sqrt(12)}
PLACES = {"moved": "in place", "brightened": "in brightness"}


def detect(signals: SignalsWindow) -> Evidence | None:
    """Samples that are moved, or lighter and darker, more than real images are."""
    if not signals.facts.augmented:
        return None
    for name, most in LEAKS.items():
        found = signals.found(name, PROBES)
        if found and min(found) > most:
            return Evidence(
                f"Samples differ more {PLACES[name]} than real images do, by {found[-1]:.2f}: "
                "how images are varied has leaked into them.",
                {name: found[-1]},
            )
    return None
