"""A run that begins: from nothing, or from a trained model."""

import time
from collections.abc import Generator

from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.run_dir import RunDir
from ganvas.config import Request, check
from ganvas.config.resolve import training_settings
from ganvas.events import Event, Notice
from ganvas.generate.trained import Trained
from ganvas.runs import fine_tune
from ganvas.runs.build import Build, build
from ganvas.runs.errors import RunError
from ganvas.runs.opening import Opening
from ganvas.runs.plan import choose_threads, make_plan
from ganvas.runtime.threads import using
from ganvas.training.callbacks.evaluation import Scorer, seconds_needed


def fresh(request: Request, folder: RunDir) -> Generator[Event, None, Opening]:
    """A run that begins with new weights; raises RunError where another one lies in its place."""
    check_free(folder)
    built = yield from build(check(request))
    return (yield from planned(built, folder))


def fine_tuned(request: Request, folder: RunDir) -> Generator[Event, None, Opening]:
    """A run that begins with the weights of a trained model, on images that suit it.

    Raises RunError where another run lies in its place, CheckpointError for what is no model, and
    UnsuitableStartError.
    """
    start = fine_tune.open_start(training_settings(request).start or "")
    request = fine_tune.take_over(request, start)
    check_free(folder)
    built = yield from build(check(request))
    fine_tune.check(start, built.dataset.shape, len(built.dataset.classes))
    return (yield from planned(built, folder, start))


def planned(
    built: Build, folder: RunDir, start: Trained | None = None
) -> Generator[Event, None, Opening]:
    """Plan a run that has made no step; raises NotEnoughMemoryError, and CheckpointError where the
    weights of `start` do not fit."""
    scorer = yield from scorer_of(built)
    began = time.monotonic()
    threads = choose_threads(built)
    with using(threads):
        reserved = _scores_take(built, scorer)
        plan = yield from make_plan(built, threads, time.monotonic() - began + reserved)
        state = plan.build.initial_state()
        state.accumulate = plan.micro_batches
        if start is not None:
            yield Notice(fine_tune.load(start, plan.build, state))
    state.seconds = time.monotonic() - began
    return Opening(folder, plan, state, scorer)


def check_free(folder: RunDir) -> None:
    """Raises RunError where a run lies already."""
    if begun(folder):
        raise RunError(
            f"{folder.path} already holds a run; continue it with --resume, or choose another "
            "--out."
        )


def begun(folder: RunDir) -> bool:
    """Whether a run lies in the directory."""
    return folder.settings.exists() or bool(checkpoint.list_checkpoints(folder.checkpoints))


def scorer_of(built: Build) -> Generator[Event, None, Scorer | None]:
    """Who scores the run while it goes on, if anybody does."""
    evaluation = built.config.evaluation
    if evaluation.evaluate_every is None:
        return None
    return (yield from Scorer.of(evaluation, built.dataset, built.teachers, built.device))


def _scores_take(built: Build, scorer: Scorer | None) -> float:
    every, budget = built.config.evaluation.evaluate_every, built.config.training.budget
    if scorer is None or every is None:
        return 0.0
    return seconds_needed(scorer, built.initial_state(), every, budget)
