"""Treatments: small changes of a run, each of which says in a sentence what it did.

A treatment is a function of the run that returns that sentence, or None where there is nothing
that it could do. Issues name them in list of treatments, from gentle to strong.
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
SMOOTHED_LABELS, NOISE, VARIED = 0.1, 0.1, 0.2
MOST_NOISE, MOST_VARIED = 0.4, 0.8  # above which they leak into the images
MOST_ENLARGED, MOST_FRESHER = 4, 8
USUAL, LEAST_USUAL, HARDLY = 0.03, 0.01, 0.001  # of its size is what a step moves a weight by
RATES = {"update_d": "lr_d", "update_g": "lr_g"}
PLAYERS = {"lr_d": "discriminator", "lr_g": "generator"}
LATE = 0.5  # of a run, after which it is not begun again
RESTING = 0.25  # of the loss of a discriminator that knows nothing


@dataclass
class RunControl:
    """A run as treatments may change it."""

    state: TrainingState
    rules: AdversarialSettings  # as settled at the beginning
    evidence: Evidence  # of what is treated
    go_back: Callable[[], int]
    """Go back to the last healthy moment, and say which step it was."""
    draw_anew: Callable[[str], None]
    """Draw the weights of networks anew whose names begin so: all, or the discriminator's."""
    fraction: float = 0.0
    """How much of the run is over."""


TreatmentFunction = Callable[[RunControl], str | None]


def slower_discriminator(run: RunControl) -> str | None:
    """A third of its learning rate."""
    return _slower(run, "lr_d")


def slower_generator(run: RunControl) -> str | None:
    """A third of its learning rate."""
    return _slower(run, "lr_g")


def slower_both(run: RunControl) -> str | None:
    """A third of both learning rates."""
    sentences = [slower_discriminator(run), slower_generator(run)]
    return " ".join(filter(None, sentences)) or None


def _slower(run: RunControl, setting: str) -> str | None:
    live = run.state.live
    before = live[setting]
    live[setting] = before / SLOWER
    change = _change(setting, before, live)
    return f"The {PLAYERS[setting]} learns more slowly from now on ({change})."


def smoother_discriminator(run: RunControl) -> str:
    """Stronger penalties on the discriminator's gradients, at real images and at generated ones:
    the
    usual ones, or ten times those that there are."""
    live, usual = run.state.live, _usual_penalty(run)
    changes = []
    for name in ("r1", "r2"):
        before = live[name]
        live[name] = usual if before < usual else before * SMOOTHER
        changes.append(_change(name, before, live))
    return f"The discriminator is kept smoother from now on ({', '.join(changes)})."


def rougher_discriminator(run: RunControl) -> str | None:
    """A tenth of penalties that are far above usual: too smooth, it cannot tell anything."""
    live, usual = run.state.live, _usual_penalty(run)
    changes = []
    for name in ("r1", "r2"):
        before = live[name]
        if before > SMOOTHER * usual:
            live[name] = max(usual, before / SMOOTHER)
            changes.append(_change(name, before, live))
    if not changes:
        return None
    return f"The discriminator is kept less smooth from now on ({', '.join(changes)})."


def resting_discriminator(run: RunControl) -> str | None:
    """It does not move while it is far ahead: the lesson's own cure."""
    below = RESTING * loss_of(run.rules, run.state).chance
    if not below or run.state.live["skip_d_below"]:
        return None
    run.state.live["skip_d_below"] = below
    return f"The discriminator rests while its loss is below {below:.2f} (skip_d_below)."


def moving_discriminator(run: RunControl) -> str | None:
    """It rests no more, and both begin where they were: alone, the generator has gone astray."""
    before = run.state.live["skip_d_below"]
    if not before:
        return None
    run.state.live["skip_d_below"] = 0.0
    moves = f"The discriminator moves in every step from now on (skip_d_below {before:.3g} -> 0)."
    return f"{_went_back(run)} {moves}"


def softer_labels(run: RunControl) -> str | None:
    """Real images count as 0.9."""
    live = run.state.live
    if live["label_smoothing"] or not loss_of(run.rules, run.state).labels:
        return None
    live["label_smoothing"] = SMOOTHED_LABELS
    return f"Real images count as {1 - SMOOTHED_LABELS} from now on (label_smoothing)."


def noisier(run: RunControl) -> str | None:
    """Noise on what the discriminator sees, fading towards the end of the run."""
    live = run.state.live
    before = live["instance_noise"]
    live["instance_noise"] = min(MOST_NOISE, 2 * before or NOISE)
    now = live["instance_noise"]
    if now == before:
        return None
    return f"The discriminator sees noise from now on (instance_noise {before:.2g} -> {now:.2g})."


def more_augmentation(run: RunControl) -> str | None:
    """More of the images are varied before they are judged."""
    live = run.state.live
    before = live["augment_share"]
    if run.rules.augment == "none" or before >= MOST_VARIED:
        return None
    live["augment_share"] = min(MOST_VARIED, before + VARIED)
    share = live["augment_share"]
    return f"More images are varied from now on (augment_share {before:.2f} -> {share:.2f})."


def less_augmentation(run: RunControl) -> str | None:
    """Fewer of the images are varied: variations have leaked into the samples."""
    live = run.state.live
    before = live["augment_share"]
    if not before:
        return None
    live["augment_share"] = before / 2 if before > VARIED else 0.0
    share = live["augment_share"]
    return f"Fewer images are varied from now on (augment_share {before:.2f} -> {share:.2f})."


def went_back(run: RunControl) -> str | None:
    """Back to the last healthy moment: other images come now, and the fault may not."""
    return _went_back(run)


def went_back_slower(run: RunControl) -> str | None:
    """Back to the last healthy moment, with a third of both learning rates."""
    return f"{_went_back(run)} {slower_both(run)}"


def began_again(run: RunControl) -> str | None:
    """Both players with new weights and a better game, while most of the run is still to come.

    What has collapsed seldom comes back: nothing gentler that was tried did as well
    (benchmarks/NOTES.md).
    """
    if run.fraction > LATE:
        return None
    run.draw_anew("")
    return " ".join(["The run begins again with new weights.", *_better_game(run)])


def new_discriminator(run: RunControl) -> str | None:
    """A discriminator with new weights and a better game, where all samples are alike: the
    generator has nothing to lose."""
    if "spread" not in run.evidence.figures:
        return None
    run.draw_anew("discriminator")
    return " ".join(["The discriminator begins again with new weights.", *_better_game(run)])


def _better_game(run: RunControl) -> list[str]:
    """Pairs, and a discriminator that is kept smooth: the remedy of Huang et al. (2024), where
    neither alone helps."""
    changes = []
    if not loss_of(run.rules, run.state).paired:
        run.state.paired = True
        changes.append("Each real image is judged beside a generated one (--loss relativistic).")
    live, least = run.state.live, _usual_penalty(run)
    if min(live["r1"], live["r2"]) < least:
        changes.append(smoother_discriminator(run))
    return changes


def _usual_penalty(run: RunControl) -> float:
    return max(LEAST_PENALTY, usual_paired_penalty(run.state.model.generator.shape))


def as_fast_as_usual(run: RunControl) -> str | None:
    """Back to the last healthy moment, with rates at which weights move as they usually do."""
    live, sentences = run.state.live, [_went_back(run)]
    for name, moved in run.evidence.figures.items():
        setting, before = RATES[name], live[RATES[name]]
        live[setting] = float(f"{before * USUAL / moved:.2g}")
        sentences.append(
            f"The {PLAYERS[setting]} learns more slowly ({_change(setting, before, live)})."
        )
    return " ".join(sentences)


def faster_discriminator(run: RunControl) -> str | None:
    """Where a step hardly moves its weights, the rate at which it moves them by a hundredth of
    their size. One that moves and guesses all the same is not helped by that: the generator is
    (benchmarks/NOTES.md)."""
    live, moved = run.state.live, run.evidence.figures.get("update_d")
    if not moved or moved > HARDLY:
        return None
    before = live["lr_d"]
    live["lr_d"] = before * LEAST_USUAL / moved
    return f"The discriminator learns faster from now on ({_change('lr_d', before, live)})."


def larger_batch(run: RunControl) -> str | None:
    """Twice as many images in a step: what is seldom among them is seen more evenly."""
    state = run.state
    if state.enlarged >= MOST_ENLARGED:
        return None
    state.enlarged *= 2
    return f"A step shows {state.enlarged} times as many images from now on."


def fresher_average(run: RunControl) -> str | None:
    """A shorter average of weights: what is generated follows sooner what is learnt."""
    state = run.state
    if state.fresher >= MOST_FRESHER:
        return None
    state.fresher *= 2
    return "The averaged generator follows twice as fast from now on (--ema)."


def _went_back(run: RunControl) -> str:
    return f"The run went back to what it was after step {run.go_back():,}."


def _change(setting: str, before: float, live: dict[str, float]) -> str:
    return f"{setting} {before:.3g} -> {live[setting]:.3g}"
