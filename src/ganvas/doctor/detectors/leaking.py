"""Leaking augmentation: the generator reproduces the augmentation of the discriminator's input."""

from math import sqrt

from ganvas.augmentation.diffaugment import BRIGHTEST, FARTHEST
from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow

PROBES = 3
# Of the largest of these probes. Samples that are hardly learnt yet vary, too, but less with every
# probe; what the generator has learnt from augmented images stays.
STAYS = 0.85
# Half of the standard deviation that uniform augmentation at its full strength would add.
LEAKS = {"moved": FARTHEST / sqrt(12), "brightened": BRIGHTEST / sqrt(12)}
PLACES = {"moved": "in position", "brightened": "in brightness"}


def detect(signals: SignalsWindow) -> Evidence | None:
    """Detect samples that keep varying more in position or in brightness than real images do."""
    can_leak = {"moved": signals.facts.augmented, "brightened": signals.facts.recoloured}
    for name, most in LEAKS.items():
        found = signals.found(name, PROBES) if can_leak[name] else []
        if found and min(found) > most and found[-1] >= STAYS * max(found):
            return Evidence(
                f"Samples vary more {PLACES[name]} than real images do, by {found[-1]:.2f}: "
                "the augmentation has leaked into them.",
                {name: found[-1]},
            )
    return None
