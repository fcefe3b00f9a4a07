"""Treatments: small changes of a run, each of which returns a sentence saying what it did.

A treatment is a function of the run control. It returns None where there is nothing to change. An
issue has a list of treatments, from gentle to strong.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ganvas.config.adversarial import AdversarialSettings
from ganvas.config.resolve import usual_paired_penalty
from ganvas.doctor.evidence import Evidence
from ganvas.training.adversarial import loss_of
from ganvas.training.state import TrainingState

SLOWER = 3.0  # by how much a learning rate is divided at a time
SMOOTHER = 10.0  # by how much a penalty is multiplied
LEAST_PENALTY = 0.03
SMOOTHED_LABELS, NOISE, MORE_AUGMENTED = 0.1, 0.1, 0.2
MOST_NOISE, MOST_AUGMENTED = 0.4, 0.8  # above which they leak into the images
MOST_ENLARGED, MOST_FRESHER = 4, 8
USUAL, LEAST_USUAL, HARDLY = 0.03, 0.01, 0.001  # update-to-weight ratios of a step
RATES = {"update_d": "lr_d", "update_g": "lr_g"}
PLAYERS = {"lr_d": "discriminator", "lr_g": "generator"}
LATE = 0.5  # fraction of a run after which it is not restarted
RESTING = 0.25  # of the discriminator's loss at chance


@dataclass
class RunControl:
    """What a treatment may change about a run."""

    state: TrainingState
    rules: AdversarialSettings  # as the run was started with
    evidence: Evidence  # of the issue that is treated
    go_back: Callable[[], int]
    """Go back to the last healthy snapshot, and return its step."""
    draw_anew: Callable[[str], None]
    """Reinitialise the weights whose names begin with this: "" for all, or "discriminator"."""
    fraction: float = 0.0
    """Fraction of the run that is done, in [0, 1]."""


TreatmentFunction = Callable[[RunControl], str | None]


def slower_discriminator(run: RunControl) -> str | None:
    """Divide the discriminator's learning rate by 3."""
    return _slower(run, "lr_d")


def slower_generator(run: RunControl) -> str | None:
    """Divide the generator's learning rate by 3."""
    return _slower(run, "lr_g")


def slower_both(run: RunControl) -> str | None:
    """Divide both learning rates by 3."""
    sentences = [slower_discriminator(run), slower_generator(run)]
    return " ".join(filter(None, sentences)) or None


def _slower(run: RunControl, setting: str) -> str | None:
    live = run.state.live
    before = live[setting]
    live[setting] = before / SLOWER
    change = _change(setting, before, live)
    return f"The {PLAYERS[setting]} learns more slowly from now on ({change})."


def smoother_discriminator(run: RunControl) -> str:
    """Strengthen the gradient penalties R1 and R2: to the usual weight, or to ten times the
    current one if that is usual already."""
    live, usual = run.state.live, _usual_penalty(run)
    changes = []
    for name in ("r1", "r2"):
        before = live[name]
        live[name] = usual if before < usual else before * SMOOTHER
        changes.append(_change(name, before, live))
    return f"The gradient penalties are stronger from now on ({', '.join(changes)})."


def rougher_discriminator(run: RunControl) -> str | None:
    """Divide by 10 the penalties that are far above usual: a discriminator that is too smooth
    cannot separate anything."""
    live, usual = run.state.live, _usual_penalty(run)
    changes = []
    for name in ("r1", "r2"):
        before = live[name]
        if before > SMOOTHER * usual:
            live[name] = max(usual, before / SMOOTHER)
            changes.append(_change(name, before, live))
    if not changes:
        return None
    return f"The gradient penalties are weaker from now on ({', '.join(changes)})."


def resting_discriminator(run: RunControl) -> str | None:
    """Skip the discriminator's step while it is far ahead: the lesson's own cure."""
    below = RESTING * loss_of(run.rules, run.state).chance
    if not below or run.state.live["skip_d_below"]:
        return None
    run.state.live["skip_d_below"] = below
    return f"The discriminator skips its step while its loss is below {below:.2f} (skip_d_below)."


def moving_discriminator(run: RunControl) -> str | None:
    """Stop skipping the discriminator's steps, and go back to the last healthy snapshot, since the
    generator has trained against a discriminator that stood still."""
    before = run.state.live["skip_d_below"]
    if not before:
        return None
    run.state.live["skip_d_below"] = 0.0
    moves = f"The discriminator moves in every step from now on (skip_d_below {before:.3g} -> 0)."
    return f"{_went_back(run)} {moves}"


def softer_labels(run: RunControl) -> str | None:
    """Label real images 0.9 (one-sided label smoothing)."""
    live = run.state.live
    if live["label_smoothing"] or not loss_of(run.rules, run.state).labels:
        return None
    live["label_smoothing"] = SMOOTHED_LABELS
    return f"Real images are labelled {1 - SMOOTHED_LABELS} from now on (label_smoothing)."


def noisier(run: RunControl) -> str | None:
    """Add instance noise to what the discriminator sees, or double it."""
    live = run.state.live
    before = live["instance_noise"]
    live["instance_noise"] = min(MOST_NOISE, 2 * before or NOISE)
    now = live["instance_noise"]
    if now == before:
        return None
    return f"Instance noise is stronger from now on (instance_noise {before:.2g} -> {now:.2g})."


def more_augmentation(run: RunControl) -> str | None:
    """Raise the augmentation probability."""
    live = run.state.live
    before = live["augment_share"]
    if run.rules.augment == "none" or before >= MOST_AUGMENTED:
        return None
    live["augment_share"] = min(MOST_AUGMENTED, before + MORE_AUGMENTED)
    share = live["augment_share"]
    return f"More images are augmented from now on (augment_share {before:.2f} -> {share:.2f})."


def less_augmentation(run: RunControl) -> str | None:
    """Lower the augmentation probability: the augmentation has leaked into the samples."""
    live = run.state.live
    before = live["augment_share"]
    if not before:
        return None
    live["augment_share"] = before / 2 if before > MORE_AUGMENTED else 0.0
    share = live["augment_share"]
    return f"Fewer images are augmented from now on (augment_share {before:.2f} -> {share:.2f})."


def went_back(run: RunControl) -> str | None:
    """Go back to the last healthy snapshot: the images that follow differ, and the fault may not
    recur."""
    return _went_back(run)


def went_back_slower(run: RunControl) -> str | None:
    """Go back to the last healthy snapshot, and divide both learning rates by 3."""
    return f"{_went_back(run)} {slower_both(run)}"


def began_again(run: RunControl) -> str | None:
    """Restart both players with new weights and better regularisation, in a run's first half.

    A collapsed run seldom recovers: no gentler treatment that was tried did as well
    (benchmarks/NOTES.md).
    """
    if run.fraction > LATE:
        return None
    run.draw_anew("")
    return " ".join(["The run restarts with new weights.", *_better_game(run)])


def new_discriminator(run: RunControl) -> str | None:
    """Restart the discriminator with new weights and better regularisation, if all samples are
    alike: the generator has nothing to lose."""
    if "spread" not in run.evidence.figures:
        return None
    run.draw_anew("discriminator")
    return " ".join(["The discriminator restarts with new weights.", *_better_game(run)])


def _better_game(run: RunControl) -> list[str]:
    """Switch to the relativistic loss, and strengthen R1 and R2: the remedy of Huang et al.
    (2024), where neither alone helps."""
    changes = []
    if not loss_of(run.rules, run.state).paired:
        run.state.paired = True
        changes.append("Each real image is compared with a generated one (--loss relativistic).")
    live, least = run.state.live, _usual_penalty(run)
    if min(live["r1"], live["r2"]) < least:
        changes.append(smoother_discriminator(run))
    return changes


def _usual_penalty(run: RunControl) -> float:
    return max(LEAST_PENALTY, usual_paired_penalty(run.state.model.generator.shape))


def as_fast_as_usual(run: RunControl) -> str | None:
    """Go back to the last healthy snapshot, with learning rates that give the usual
    update-to-weight ratio."""
    live, sentences = run.state.live, [_went_back(run)]
    for name, moved in run.evidence.figures.items():
        setting, before = RATES[name], live[RATES[name]]
        live[setting] = float(f"{before * USUAL / moved:.2g}")
        sentences.append(
            f"The {PLAYERS[setting]} learns more slowly ({_change(setting, before, live)})."
        )
    return " ".join(sentences)


def faster_discriminator(run: RunControl) -> str | None:
    """Raise the discriminator's learning rate if a step hardly moves its weights.

    The new rate moves them by a hundredth of their size in a step. A discriminator that does move
    and is still at chance is not helped by a higher rate; a slower generator helps it
    (benchmarks/NOTES.md)."""
    live, moved = run.state.live, run.evidence.figures.get("update_d")
    if not moved or moved > HARDLY:
        return None
    before = live["lr_d"]
    live["lr_d"] = before * LEAST_USUAL / moved
    return f"The discriminator learns faster from now on ({_change('lr_d', before, live)})."


def larger_batch(run: RunControl) -> str | None:
    """Double the batch: rare images are then seen more evenly."""
    state = run.state
    if state.enlarged >= MOST_ENLARGED:
        return None
    state.enlarged *= 2
    return f"The batch is {state.enlarged} times the planned one from now on."


def fresher_average(run: RunControl) -> str | None:
    """Halve the half-life of the weight average, so that samples follow the training sooner."""
    state = run.state
    if state.fresher >= MOST_FRESHER:
        return None
    state.fresher *= 2
    return "The half-life of the averaged weights is halved (--ema)."


def _went_back(run: RunControl) -> str:
    return f"The run went back to what it was after step {run.go_back():,}."


def _change(setting: str, before: float, live: dict[str, float]) -> str:
    return f"{setting} {before:.3g} -> {live[setting]:.3g}"
