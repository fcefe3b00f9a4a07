"""Evaluation during a run: its metrics in the features of a network."""

import time
from collections.abc import Collection, Generator, Iterator
from dataclasses import asdict, dataclass, field
from math import ceil

import torch
from torch import Tensor

from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.metadata import CheckpointError
from ganvas.config.evaluation import FEWEST, EvaluationSettings
from ganvas.data import ImageDataset
from ganvas.errors import GanvasError
from ganvas.evaluation import impartial
from ganvas.evaluation.features import FeatureNetwork, feature_network
from ganvas.evaluation.metrics import kernel_distance, scores
from ganvas.evaluation.metrics.kernel import KernelDistance
from ganvas.evaluation.reference import real_features
from ganvas.events import Event, Notice, Scored, Step
from ganvas.models.sampling import sample_batches
from ganvas.training.callbacks.checkpoints import Checkpointer, best, scored_of
from ganvas.training.state import TrainingState, fixed_latents

STREAM = 4  # keeps these latents apart from all others
REALS = 2000  # real images at most, so that a score takes seconds
PART = 256  # images at once, so that memory stays small
MOST = 0.5  # largest fraction of the evaluation interval that a score may take


class EvaluationError(GanvasError, ValueError):
    """There are too few images to compare with, or too little time; says what to change."""


class SlowScoresError(EvaluationError):
    """A score would take too much of the time between two: `seconds` of it."""

    def __init__(self, sentence: str, seconds: float) -> None:
        super().__init__(sentence)
        self.seconds = seconds


def check_enough(source: str, usable: int) -> None:
    """Raises EvaluationError where there are too few images to score with."""
    if usable < FEWEST:
        raise EvaluationError(
            f"{source} has {usable} usable images, too few to score with; "
            f"add images up to {FEWEST}, or train without scores."
        )


@dataclass(frozen=True)
class Scorer:
    """A feature network, and its features of real images (N, D)."""

    network: FeatureNetwork
    real: Tensor
    count: int  # samples

    @classmethod
    def of(
        cls,
        settings: EvaluationSettings,
        dataset: ImageDataset,
        teachers: Collection[str] = (),
        device: torch.device | str = "cpu",
    ) -> Generator[Event, None, "Scorer"]:
        """Compute the features of the real images, or read them from the cache.

        They are computed on `device`. `teachers` are the frozen networks through which the run
        learns: a Notice says if one of them is to score it.
        Raises EvaluationError where there are too few, and what opening the network raises.
        """
        check_enough(dataset.source, dataset.usable)
        network = feature_network(settings.features, device)
        if said := impartial.warning(network, teachers):
            yield Notice(said)
        real = yield from real_features(network, dataset, REALS)
        return cls(network, real, settings.evaluate_count)

    def features(self, state: TrainingState, count: int) -> Tensor:
        """Features (count, D) of generated images, always of the same latents.

        They are not finite where the images are not.
        """
        drawn = fixed_latents(state, STREAM, count)
        parts = [sample_batches(state.average, part) for part in torch.split(drawn, PART)]
        return torch.cat([self.network.features(part).cpu() for part in parts])

    def kernel(self, state: TrainingState, count: int) -> KernelDistance | None:
        """The KID (kernel distance) of so many samples; None where they are not finite."""
        fake = self.features(state, count)
        return kernel_distance(self.real, fake) if torch.isfinite(fake).all() else None

    def score(self, state: TrainingState) -> Scored | None:
        """Every metric at this step; None where the images are not finite."""
        fake = self.features(state, self.count)
        if not torch.isfinite(fake).all():
            return None
        return Scored(
            state.step,
            state.images,
            self.network.name,
            len(fake),
            len(self.real),
            state.seed,
            asdict(scores(self.real, fake)),
        )


@dataclass
class Evaluator:
    """Callback that scores and saves the run every `every` seconds of wall time."""

    scorer: Scorer
    every: float
    checkpointer: Checkpointer
    scored_step: int = -1
    last: float = field(default_factory=time.monotonic)

    def watch(self, state: TrainingState, step: Step) -> Iterator[Event]:
        """Score when a score is due."""
        if time.monotonic() - self.last >= self.every:
            yield from self.evaluate(state)

    def evaluate(self, state: TrainingState) -> Iterator[Event]:
        """Score this step, unless that has been done, and save a checkpoint."""
        if self.scored_step == state.step:
            return
        found = self.scorer.score(state)
        if found is None:
            yield Notice(f"Step {state.step:,} has no score: its images are not finite.")
        else:
            yield found
            yield self.checkpointer.save(state, found)
            self.scored_step = state.step
        self.last = time.monotonic()

    def report_best(self) -> Iterator[Event]:
        """Report the best checkpoint, if it is not the newest."""
        found = best(self.checkpointer.folder) if self.checkpointer.keep_best else None
        if found is None:
            return
        try:
            scored = scored_of(checkpoint.read(found).metadata)
            newest = checkpoint.newest(self.checkpointer.folder)[0]
        except CheckpointError as fault:  # no reason to fail: the run is finished and saved
            yield Notice(f"The best checkpoint cannot be determined: {fault}")
            return
        if found == newest.folder or scored is None:
            return
        yield Notice(
            f"Best by KID (kernel distance): {scored.scores['kernel']:.3g} after "
            f"{scored.images:,} images, {found}."
        )


def seconds_needed(
    scorer: Scorer, state: TrainingState, every: float, budget: float | None
) -> float:
    """Seconds that all scores of a run take on this machine, measured on one before the run.

    Raises SlowScoresError where they would leave too little time for training.
    """
    began = time.monotonic()
    scorer.score(state)
    taken = time.monotonic() - began
    if taken > MOST * min(every, budget or every):
        raise SlowScoresError(
            f"--evaluate-every {every:g}s: a score takes {taken:.1f} s here; take "
            f"--evaluate-every {ceil(taken / MOST)}s or more and train for longer than that, or "
            "take a smaller --evaluate-count.",
            taken,
        )
    return taken * ((budget or 0.0) // every + 1)
