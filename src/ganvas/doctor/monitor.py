"""The doctor at work: watches every step, looks closer now and then, and treats what it finds.

One treatment at a time: after each, the chart begins again, and only what is seen from then on
counts. If the illness is seen again the next treatment of its ladder follows, and if it is not, the
treatment is said to have helped.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from ganvas.checkpoints.checkpoint import Tensors
from ganvas.config.adversarial import AdversarialSettings
from ganvas.config.doctor import DoctorMode
from ganvas.doctor import detection
from ganvas.doctor.detectors.divergence import IN_A_ROW
from ganvas.doctor.incidents import Visit, Visits
from ganvas.doctor.issue import Illness
from ganvas.doctor.probes import Examiner
from ganvas.doctor.report import Recollection
from ganvas.doctor.signals import WINDOW, Chart
from ganvas.doctor.treatments import Patient
from ganvas.doctor.treatments import Treatment as Treat
from ganvas.events import Event, FollowUp, GivenUp, Step, Treatment
from ganvas.training.adversarial import loss_of
from ganvas.training.state import TrainingState

WORSE = 1.25  # times the best score, above which a moment is none to go back to
GOOD = 0.01  # a score below which differences are chance: real images have about 0


@dataclass
class Healthy:
    """A moment of the run to which one can go back: weights and moments, on the processor."""

    step: int
    tensors: dict[str, Tensors]
    score: float

    @classmethod
    def of(cls, state: TrainingState, score: float = torch.inf) -> "Healthy":
        """This moment."""
        tensors = {
            name: {key: tensor.detach().to("cpu", copy=True) for key, tensor in named.items()}
            for name, named in state.tensors().items()
        }
        return cls(state.step, tensors, score)


@dataclass
class Doctor:
    """A watcher; what it knows of the run is kept in the checkpoint."""

    mode: DoctorMode
    exam_every: int
    illnesses: Mapping[str, Illness]
    rules: AdversarialSettings
    examiner: Examiner
    chart: Chart
    healthy: Healthy
    start: Callable[[], TrainingState]  # the run as it was before its first step
    visits: Visits = field(default_factory=Visits)
    treated_at: int = 0  # the step
    gave_up: bool = False  # whether the run is not worth going on with
    resumed_at: int = -1  # the step; who resumes hears once more what nobody has treated

    def watch(self, state: TrainingState, step: Step) -> Iterator[Event]:
        """Write down the step; when a window of steps is full, look whether something is wrong."""
        full = self.chart.record(step.step, step.images, step.scalars)
        if full and step.step % self.exam_every < WINDOW:
            self.chart.examined(step.step, step.images, self.examiner.examine(state))
        if full or self.chart.dropped == IN_A_ROW:
            yield from self._look(state, step)

    def _look(self, state: TrainingState, step: Step) -> Iterator[Event]:
        seen = detection.seen(self.illnesses, self.chart, self.visits)
        if not seen:
            yield from self._well(state, step)
        name = detection.first_unsaid(seen, self.visits, step.step, self.resumed_at)
        if name is None:
            return
        evidence, illness = seen[name], self.illnesses[name]
        diagnosis = detection.diagnosis(step.step, name, evidence, illness)
        yield diagnosis
        yield from self._follow_up(step, helped=False, seen=name)
        rungs, done = self.visits.rungs(name), None
        if self.mode == "treat":
            patient = Patient(
                state, self.rules, evidence, self._back(state), self._anew(state), step.fraction
            )
            rungs, done = _treated(illness.ladder, rungs, patient)
        self.visits.add(Visit(diagnosis, done, rungs))
        if done is not None:
            self.treated_at = step.step
            chance = loss_of(self.rules, state).chance
            self.chart.facts = replace(self.chart.facts, chance=chance)
            self.chart.begin_again()
            yield Treatment(step.step, name, done)
        elif self.mode == "treat" and illness.fatal:
            self.gave_up = True
            yield GivenUp(step.step, name, f"Nothing else helps here. {illness.by_hand}")

    def _back(self, state: TrainingState) -> Callable[[], int]:
        def go() -> int:
            state.restore_tensors(self.healthy.tensors)
            return self.healthy.step

        return go

    def _anew(self, state: TrainingState) -> Callable[[str], None]:
        def draw(beginning: str) -> None:
            now, new = state.tensors(), self.start().tensors()
            weights = {k: v for k, v in new["model"].items() if k.startswith(beginning)}
            drawn = {"model": now["model"] | weights}
            drawn |= {n: {} for n in now if n.startswith(f"optimizer-{beginning}")}
            if not beginning:
                drawn["average"], state.began = new["average"], state.images
            state.restore_tensors(now | drawn)
            self.healthy = Healthy.of(state)

        return draw

    def _well(self, state: TrainingState, step: Step) -> Iterator[Event]:
        yield from self._follow_up(step, helped=True, seen=None)
        scores = self.chart.found("score", 1)
        new = bool(scores) and self.chart.exams[-1].step == step.step
        if new and scores[0] <= WORSE * self.healthy.score:
            self.healthy = Healthy.of(state, max(GOOD, min(scores[0], self.healthy.score)))

    def _follow_up(self, step: Step, helped: bool, seen: str | None) -> Iterator[Event]:
        """Say of a treatment whether it helped, once that is known."""
        visit = self.visits.under_treatment
        if visit is None or seen not in (None, visit.diagnosis.illness):
            return
        illness = self.illnesses.get(visit.diagnosis.illness)
        if illness is None:
            return  # another version knew it
        if helped and step.step - self.treated_at < illness.windows * WINDOW:
            return
        self.visits.judge(helped)
        if not illness.lasting:
            yield FollowUp(step.step, visit.diagnosis.illness, helped)

    def as_plain(self) -> dict[str, Any]:
        """As a checkpoint holds it."""
        return {
            "chart": self.chart.as_plain(),
            "visits": self.visits.as_plain(),
            "treated_at": self.treated_at,
        }

    def remember(self, plain: Mapping[str, Any], step: int) -> None:
        """What `as_plain` gave at this step; raises CheckpointError where that is damaged."""
        known = Recollection.of(plain)
        self.resumed_at = step
        self.chart, self.visits, self.treated_at = known.chart, known.visits, known.treated_at


def _treated(ladder: tuple[Treat, ...], rungs: int, patient: Patient) -> tuple[int, str | None]:
    """Go up a ladder to the next rung that changes something: how far that is, and what."""
    for number in range(rungs, len(ladder)):
        done = ladder[number](patient)
        if done is not None:
            return number + 1, done
    return len(ladder), None
