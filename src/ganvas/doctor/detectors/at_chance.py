"""A discriminator that is stuck at chance, or that does not learn at all."""

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow

WINDOWS, STILL_WINDOWS = 24, 8
NEAR = 0.03  # distance from the loss at chance, as a fraction of it
UNDECIDED = 0.1  # |r_t| below which the discriminator decides nothing
STILL = 1e-5  # update-to-weight ratio below which the discriminator does not learn
BAD = 10.0  # times the score of real images


def detect(signals: SignalsWindow) -> Evidence | None:
    """Detect a discriminator that never moves, or whose loss stays at chance (2 ln 2 under bce).

    Chance level counts only while the images are bad: with good images it is the equilibrium.
    """
    return _still(signals) or _guessing(signals)


def _still(signals: SignalsWindow) -> Evidence | None:
    skipped = signals.mean("skipped", STILL_WINDOWS)
    if skipped is not None and skipped > 0.999:
        return Evidence("The discriminator skips every step.", {"skipped": skipped})
    moved = signals.mean("update_d", STILL_WINDOWS // 2)
    if moved is not None and moved < STILL:
        return Evidence(
            f"The discriminator does not learn: a step moves its weights by {moved:.1e} of their "
            "size.",
            {"update_d": moved},
        )
    return None


def _guessing(signals: SignalsWindow) -> Evidence | None:
    losses, chance = signals.last("loss_d", WINDOWS), signals.facts.chance
    r_t, scores = signals.mean("r_t", WINDOWS), signals.found("score", 2)
    floor = signals.found("floor", 1)
    if not losses or not chance or r_t is None or not scores or not floor:
        return None
    apart = max(abs(loss - chance) for loss in losses)
    if apart > NEAR * chance or abs(r_t) > UNDECIDED or min(scores) < BAD * max(floor[0], 0.01):
        return None
    figures = {"loss_d": losses[-1], "chance": chance, "r_t": r_t, "score": scores[-1]}
    moved = signals.mean("update_d", STILL_WINDOWS // 2)
    return Evidence(
        f"The discriminator's loss has stayed at chance level ({chance:.2f}) while generated "
        f"images are still far from real ones (score {scores[-1]:.2f}).",
        figures if moved is None else figures | {"update_d": moved},
    )
