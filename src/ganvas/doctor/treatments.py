"""Treatments: small changes of a run, each of which says in a sentence what it did.

A treatment is a function of the patient that returns that sentence, or None where there is nothing
that it could do. Illnesses name them in ladders, from gentle to strong.
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
class Patient:
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


Treatment = Callable[[Patient], str | None]


def slower_discriminator(patient: Patient) -> str | None:
    """A third of its learning rate."""
    return _slower(patient, "lr_d")


def slower_generator(patient: Patient) -> str | None:
    """A third of its learning rate."""
    return _slower(patient, "lr_g")


def slower_both(patient: Patient) -> str | None:
    """A third of both learning rates."""
    sentences = [slower_discriminator(patient), slower_generator(patient)]
    return " ".join(filter(None, sentences)) or None


def _slower(patient: Patient, knob: str) -> str | None:
    knobs = patient.state.knobs
    before = knobs[knob]
    knobs[knob] = before / SLOWER
    change = _change(knob, before, knobs)
    return f"The {PLAYERS[knob]} learns more slowly from now on ({change})."


def smoother_discriminator(patient: Patient) -> str:
    """Stronger penalties on the discriminator's slopes, at real images and at generated ones: the
    usual ones, or ten times those that there are."""
    knobs, usual = patient.state.knobs, _usual_penalty(patient)
    changes = []
    for name in ("r1", "r2"):
        before = knobs[name]
        knobs[name] = usual if before < usual else before * SMOOTHER
        changes.append(_change(name, before, knobs))
    return f"The discriminator is kept smoother from now on ({', '.join(changes)})."


def rougher_discriminator(patient: Patient) -> str | None:
    """A tenth of penalties that are far above usual: too smooth, it cannot tell anything."""
    knobs, usual = patient.state.knobs, _usual_penalty(patient)
    changes = []
    for name in ("r1", "r2"):
        before = knobs[name]
        if before > SMOOTHER * usual:
            knobs[name] = max(usual, before / SMOOTHER)
            changes.append(_change(name, before, knobs))
    if not changes:
        return None
    return f"The discriminator is kept less smooth from now on ({', '.join(changes)})."


def resting_discriminator(patient: Patient) -> str | None:
    """It does not move while it is far ahead: the lesson's own cure."""
    below = RESTING * loss_of(patient.rules, patient.state).chance
    if not below or patient.state.knobs["skip_d_below"]:
        return None
    patient.state.knobs["skip_d_below"] = below
    return f"The discriminator rests while its loss is below {below:.2f} (skip_d_below)."


def moving_discriminator(patient: Patient) -> str | None:
    """It rests no more, and both begin where they were: alone, the generator has gone astray."""
    before = patient.state.knobs["skip_d_below"]
    if not before:
        return None
    patient.state.knobs["skip_d_below"] = 0.0
    moves = f"The discriminator moves in every step from now on (skip_d_below {before:.3g} -> 0)."
    return f"{_went_back(patient)} {moves}"


def softer_labels(patient: Patient) -> str | None:
    """Real images count as 0.9."""
    knobs = patient.state.knobs
    if knobs["label_smoothing"] or not loss_of(patient.rules, patient.state).labels:
        return None
    knobs["label_smoothing"] = SMOOTHED_LABELS
    return f"Real images count as {1 - SMOOTHED_LABELS} from now on (label_smoothing)."


def noisier(patient: Patient) -> str | None:
    """Noise on what the discriminator sees, fading towards the end of the run."""
    knobs = patient.state.knobs
    before = knobs["instance_noise"]
    knobs["instance_noise"] = min(MOST_NOISE, 2 * before or NOISE)
    now = knobs["instance_noise"]
    if now == before:
        return None
    return f"The discriminator sees noise from now on (instance_noise {before:.2g} -> {now:.2g})."


def more_varied(patient: Patient) -> str | None:
    """More of the images are varied before they are judged."""
    knobs = patient.state.knobs
    before = knobs["augment_share"]
    if patient.rules.augment == "none" or before >= MOST_VARIED:
        return None
    knobs["augment_share"] = min(MOST_VARIED, before + VARIED)
    share = knobs["augment_share"]
    return f"More images are varied from now on (augment_share {before:.2f} -> {share:.2f})."


def less_varied(patient: Patient) -> str | None:
    """Fewer of the images are varied: variations have leaked into the samples."""
    knobs = patient.state.knobs
    before = knobs["augment_share"]
    if not before:
        return None
    knobs["augment_share"] = before / 2 if before > VARIED else 0.0
    share = knobs["augment_share"]
    return f"Fewer images are varied from now on (augment_share {before:.2f} -> {share:.2f})."


def went_back(patient: Patient) -> str | None:
    """Back to the last healthy moment: other images come now, and the fault may not."""
    return _went_back(patient)


def went_back_slower(patient: Patient) -> str | None:
    """Back to the last healthy moment, with a third of both learning rates."""
    return f"{_went_back(patient)} {slower_both(patient)}"


def began_again(patient: Patient) -> str | None:
    """Both players with new weights and a better game, while most of the run is still to come.

    What has collapsed seldom comes back: nothing gentler that was tried did as well
    (benchmarks/NOTES.md).
    """
    if patient.fraction > LATE:
        return None
    patient.draw_anew("")
    return " ".join(["The run begins again with new weights.", *_better_game(patient)])


def new_discriminator(patient: Patient) -> str | None:
    """A discriminator with new weights and a better game, where all samples are alike: the
    generator has nothing to lose."""
    if "spread" not in patient.evidence.figures:
        return None
    patient.draw_anew("discriminator")
    return " ".join(["The discriminator begins again with new weights.", *_better_game(patient)])


def _better_game(patient: Patient) -> list[str]:
    """Pairs, and a discriminator that is kept smooth: the remedy of Huang et al. (2024), where
    neither alone helps."""
    changes = []
    if not loss_of(patient.rules, patient.state).paired:
        patient.state.paired = True
        changes.append("Each real image is judged beside a generated one (--loss relativistic).")
    knobs, least = patient.state.knobs, _usual_penalty(patient)
    if min(knobs["r1"], knobs["r2"]) < least:
        changes.append(smoother_discriminator(patient))
    return changes


def _usual_penalty(patient: Patient) -> float:
    return max(LEAST_PENALTY, usual_paired_penalty(patient.state.model.generator.shape))


def as_fast_as_usual(patient: Patient) -> str | None:
    """Back to the last healthy moment, with rates at which weights move as they usually do."""
    knobs, sentences = patient.state.knobs, [_went_back(patient)]
    for name, moved in patient.evidence.figures.items():
        knob, before = RATES[name], knobs[RATES[name]]
        knobs[knob] = float(f"{before * USUAL / moved:.2g}")
        sentences.append(
            f"The {PLAYERS[knob]} learns more slowly ({_change(knob, before, knobs)})."
        )
    return " ".join(sentences)


def faster_discriminator(patient: Patient) -> str | None:
    """Where a step hardly moves its weights, the rate at which it moves them by a hundredth of
    their size. One that moves and guesses all the same is not helped by that: the generator is
    (benchmarks/NOTES.md)."""
    knobs, moved = patient.state.knobs, patient.evidence.figures.get("update_d")
    if not moved or moved > HARDLY:
        return None
    before = knobs["lr_d"]
    knobs["lr_d"] = before * LEAST_USUAL / moved
    return f"The discriminator learns faster from now on ({_change('lr_d', before, knobs)})."


def larger_batch(patient: Patient) -> str | None:
    """Twice as many images in a step: what is seldom among them is seen more evenly."""
    state = patient.state
    if state.enlarged >= MOST_ENLARGED:
        return None
    state.enlarged *= 2
    return f"A step shows {state.enlarged} times as many images from now on."


def fresher_average(patient: Patient) -> str | None:
    """A shorter average of weights: what is painted follows sooner what is learnt."""
    state = patient.state
    if state.fresher >= MOST_FRESHER:
        return None
    state.fresher *= 2
    return "The averaged generator follows twice as fast from now on (--ema)."


def _went_back(patient: Patient) -> str:
    return f"The run went back to what it was after step {patient.go_back():,}."


def _change(knob: str, before: float, knobs: dict[str, float]) -> str:
    return f"{knob} {before:.3g} -> {knobs[knob]:.3g}"
