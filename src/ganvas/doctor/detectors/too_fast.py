"""A learning rate that is too high: one step changes a player by a large part of its weights.

The lesson's "sensitivity to hyperparameters", in its commonest form.
"""

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow

# Update-to-weight ratio. With every model's recipe the first step has 0.01 to 0.05.
FAST = 0.15


def detect(signals: SignalsWindow) -> Evidence | None:
    """Detect a player whose weights move by a large part of their own size in one step."""
    moved = {name: signals.mean(name, 1) or 0.0 for name in ("update_d", "update_g")}
    fast = {name: share for name, share in moved.items() if share > FAST}
    if not fast:
        return None
    players = {"update_d": "discriminator", "update_g": "generator"}
    shares = " and ".join(f"the {players[n]}'s weights by {share:.0%}" for n, share in fast.items())
    return Evidence(
        f"One step moves {shares} of their size, where 1 to 5 % is usual: the learning rate is "
        "too high.",
        fast,
    )
