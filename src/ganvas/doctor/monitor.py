"""The monitor: records every step, runs probes at intervals, and treats what the detectors find.

One treatment is applied at a time. After each, the signals window is cleared, so that only what
follows counts. If the issue is detected again, the next treatment in its list follows; if not, the
treatment is reported to have helped."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from ganvas.checkpoints.checkpoint import Tensors
from ganvas.config.adversarial import AdversarialSettings
from ganvas.config.doctor import DoctorMode
from ganvas.doctor import detection
from ganvas.doctor.detectors.divergence import IN_A_ROW
from ganvas.doctor.incidents import Incident, Incidents
from ganvas.doctor.issue import Issue
from ganvas.doctor.probes import Probe
from ganvas.doctor.report import Recollection
from ganvas.doctor.signals import WINDOW, SignalsWindow
from ganvas.doctor.treatments import RunControl
from ganvas.doctor.treatments import TreatmentFunction as Treat
from ganvas.events import Event, FollowUp, GivenUp, Step, Treatment
from ganvas.training.adversarial import loss_of
from ganvas.training.state import TrainingState

WORSE = 1.25  # times the best score, above which no snapshot is taken
# How the names of weights begin that are drawn anew. Heads on a pretrained network belong to the
# discriminator.
BEGINNINGS = {"": ("",), "discriminator": ("discriminator.", "projected.heads.")}
GOOD = 0.01  # a score below which differences are chance: real images have about 0


@dataclass
class Healthy:
    """A snapshot of a healthy run to go back to: weights and optimiser moments, on the CPU."""

    step: int
    tensors: dict[str, Tensors]
    score: float

    @classmethod
    def of(cls, state: TrainingState, score: float = torch.inf) -> "Healthy":
        """Take a snapshot of this state."""
        tensors = {
            name: {key: tensor.detach().to("cpu", copy=True) for key, tensor in named.items()}
            for name, named in state.tensors().items()
        }
        return cls(state.step, tensors, score)


@dataclass
class Monitor:
    """A callback that diagnoses and treats a run; its record is kept in checkpoints."""

    mode: DoctorMode
    probe_every: int
    issues: Mapping[str, Issue]
    rules: AdversarialSettings
    probe: Probe
    signals: SignalsWindow
    healthy: Healthy
    start: Callable[[], TrainingState]  # the run as it was before its first step
    incidents: Incidents = field(default_factory=Incidents)
    treated_at: int = 0  # the step
    gave_up: bool = False  # whether the run is not worth going on with
    resumed_at: int = -1  # the step; after it, untreated issues are reported once more

    def watch(self, state: TrainingState, step: Step) -> Iterator[Event]:
        """Record the step; when a window of steps is complete, run the detectors."""
        full = self.signals.record(step.step, step.images, step.scalars)
        if full and step.step % self.probe_every < WINDOW:
            self.signals.add_probe(step.step, step.images, self.probe.measure(state))
        if full or self.signals.dropped == IN_A_ROW:
            yield from self._look(state, step)

    def _look(self, state: TrainingState, step: Step) -> Iterator[Event]:
        seen = detection.detect_issues(self.issues, self.signals, self.incidents)
        if not seen:
            yield from self._well(state, step)
        name = detection.first_new(seen, self.incidents, step.step, self.resumed_at)
        if name is None:
            return
        evidence, issue = seen[name], self.issues[name]
        diagnosis = detection.diagnosis(step.step, name, evidence, issue)
        yield diagnosis
        yield from self._follow_up(step, helped=False, seen=name)
        applied, done = self.incidents.applied(name), None
        if self.mode == "treat":
            run = RunControl(
                state, self.rules, evidence, self._back(state), self._anew(state), step.fraction
            )
            applied, done = _apply_next(issue.treatments, applied, run)
        self.incidents.add(Incident(diagnosis, done, applied))
        if done is not None:
            self.treated_at = step.step
            chance = loss_of(self.rules, state).chance
            self.signals.facts = replace(self.signals.facts, chance=chance)
            self.signals.begin_again()
            yield Treatment(step.step, name, done)
        elif self.mode == "treat" and issue.fatal:
            self.gave_up = True
            yield GivenUp(step.step, name, f"Nothing else helps here. {issue.by_hand}")

    def _back(self, state: TrainingState) -> Callable[[], int]:
        def go() -> int:
            state.restore_tensors(self.healthy.tensors)
            return self.healthy.step

        return go

    def _anew(self, state: TrainingState) -> Callable[[str], None]:
        def draw(beginning: str) -> None:
            now, new = state.tensors(), self.start().tensors()
            names = BEGINNINGS[beginning]
            weights = {k: v for k, v in new["model"].items() if k.startswith(names)}
            drawn = {"model": now["model"] | weights}
            drawn |= {n: {} for n in now if n.startswith(f"optimizer-{beginning}")}
            if not beginning:
                drawn["average"], state.began = new["average"], state.images
            state.restore_tensors(now | drawn)
            self.healthy = Healthy.of(state)

        return draw

    def _well(self, state: TrainingState, step: Step) -> Iterator[Event]:
        yield from self._follow_up(step, helped=True, seen=None)
        scores = self.signals.found("score", 1)
        new = bool(scores) and self.signals.probes[-1].step == step.step
        if new and scores[0] <= WORSE * self.healthy.score:
            self.healthy = Healthy.of(state, max(GOOD, min(scores[0], self.healthy.score)))

    def _follow_up(self, step: Step, helped: bool, seen: str | None) -> Iterator[Event]:
        """Report whether a treatment helped, once that is known."""
        incident = self.incidents.under_treatment
        if incident is None or seen not in (None, incident.diagnosis.issue):
            return
        issue = self.issues.get(incident.diagnosis.issue)
        if issue is None:
            return  # an issue of another version
        if helped and step.step - self.treated_at < issue.windows * WINDOW:
            return
        self.incidents.resolve(helped)
        if not issue.lasting:
            yield FollowUp(step.step, incident.diagnosis.issue, helped)

    def as_plain(self) -> dict[str, Any]:
        """Plain values for the checkpoint."""
        return {
            "signals": self.signals.as_plain(),
            "incidents": self.incidents.as_plain(),
            "treated_at": self.treated_at,
        }

    def remember(self, plain: Mapping[str, Any], step: int) -> None:
        """Restore what `as_plain` returned at this step; raises CheckpointError if damaged."""
        known = Recollection.of(plain)
        self.resumed_at = step
        self.signals, self.incidents, self.treated_at = (
            known.signals,
            known.incidents,
            known.treated_at,
        )


def _apply_next(
    treatments: tuple[Treat, ...], applied: int, run: RunControl
) -> tuple[int, str | None]:
    """Apply the next treatment that changes something.

    Returns how many treatments are used up, and the sentence of the one applied; None if no
    treatment was left.
    """
    for number in range(applied, len(treatments)):
        done = treatments[number](run)
        if done is not None:
            return number + 1, done
    return len(treatments), None
