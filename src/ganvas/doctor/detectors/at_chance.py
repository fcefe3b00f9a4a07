"""A discriminator that is stuck at chance, or that does not learn at all."""

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.signals import SignalsWindow

WINDOWS, STILL_WINDOWS = 24, 8
NEAR = 0.03  # of the loss by chance
UNSURE = 0.1
STILL = 1e-5  # of its weights' size, in a step
BAD = 10.0  # times the score of real images


def detect(signals: SignalsWindow) -> Evidence | None:
    """A discriminator that never moves, or whose loss stays that of guessing (2 ln 2 under bce)
    while the images are bad: when they are good, that is how a game ends."""
    return _still(signals) or _guessing(signals)


def _still(signals: SignalsWindow) -> Evidence | None:
    skipped = signals.mean("skipped", STILL_WINDOWS)
    if skipped is not None and skipped > 0.999:
        return Evidence("The discriminator rests in every step.", {"skipped": skipped})
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
    sure, scores = signals.mean("r_t", WINDOWS), signals.found("score", 2)
    floor = signals.found("floor", 1)
    if not losses or not chance or sure is None or not scores or not floor:
        return None
    apart = max(abs(loss - chance) for loss in losses)
    if apart > NEAR * chance or abs(sure) > UNSURE or min(scores) < BAD * max(floor[0], 0.01):
        return None
    figures = {"loss_d": losses[-1], "chance": chance, "r_t": sure, "score": scores[-1]}
    moved = signals.mean("update_d", STILL_WINDOWS // 2)
    return Evidence(
        f"The discriminator's loss has stayed at {chance:.2f}, that of guessing, while the "
        f"images are {scores[-1]:.2f} from real ones.",
        figures if moved is None else figures | {"update_d": moved},
    )
