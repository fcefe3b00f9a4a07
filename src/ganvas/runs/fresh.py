"""A run that begins: from nothing, or from a trained model."""

import json
import time
from collections.abc import Generator, Mapping
from types import MappingProxyType
from typing import Any

from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.metadata import RunMetadata
from ganvas.checkpoints.run_dir import RunDir
from ganvas.config import Origin, Request, check
from ganvas.config import yaml as run_yaml
from ganvas.config.resolve import training_settings
from ganvas.data import report
from ganvas.events import Configured, Event, Notice
from ganvas.generate.trained import Trained
from ganvas.runs import fine_tune
from ganvas.runs.build import Build, build
from ganvas.runs.errors import RunError
from ganvas.runs.plan import Plan, choose_threads, make_plan
from ganvas.runs.search import Search, Study
from ganvas.runs.session import Session
from ganvas.runtime.atomic import make_folder, write_text
from ganvas.runtime.threads import using
from ganvas.training.callbacks.evaluation import Scorer, seconds_needed


def fresh(request: Request, folder: RunDir) -> Generator[Event, None, Session]:
    """A run that begins with new weights; raises RunError where another one lies in its place."""
    check_free(folder)
    built = yield from build(check(request))
    return (yield from begin(built, folder))


def fine_tuned(request: Request, folder: RunDir) -> Generator[Event, None, Session]:
    """A run that begins with the weights of a trained model, on images that suit it.

    Raises RunError where another run lies in its place, CheckpointError for what is no model, and
    UnsuitableStartError.
    """
    start = fine_tune.open_start(training_settings(request).start or "")
    request = fine_tune.take_over(request, start)
    check_free(folder)
    built = yield from build(check(request))
    fine_tune.check(start, built.dataset.shape, len(built.dataset.classes))
    return (yield from begin(built, folder, start))


def begin(
    built: Build, folder: RunDir, start: Trained | None = None, study: Study | None = None
) -> Generator[Event, None, Session]:
    """Plan the run, search for its hyperparameters if that was asked for, and be ready to train."""
    scorer = yield from scorer_of(built)
    began = time.monotonic()
    threads = choose_threads(built)
    with using(threads):
        later = _scores_take(built, scorer)
        plan = yield from make_plan(built, threads, time.monotonic() - began + later)
        if scorer is not None and built.config.training.trials:
            spent = time.monotonic() - began
            search = (
                Search.opened(folder.search, plan, scorer, start, spent)
                if study is None
                else Search(study, plan, scorer, start)
            )
            describe(folder, plan)
            plan, state = yield from search.run(later)
        else:
            state = plan.build.initial_state()
            state.accumulate = plan.micro_batches
            if start is not None:
                yield Notice(fine_tune.load(start, state))
            state.seconds = time.monotonic() - began
    describe(folder, plan)
    yield configuration(plan, state.live)
    session = Session.of(folder, plan, state, scorer, RunMetadata())
    if state.step:  # the winner of a search: from now on it lies here
        yield session.checkpointer.save(state)
        if (found := Study.of(folder.search)) is not None:
            found.close()
    return session


def check_free(folder: RunDir) -> None:
    """Raises RunError where a run lies already."""
    if folder.settings.exists() or checkpoint.list_checkpoints(folder.checkpoints):
        raise RunError(
            f"{folder.path} already holds a run; continue it with --resume, or choose another "
            "--out."
        )


def describe(folder: RunDir, plan: Plan) -> None:
    """Write down which run this is."""
    make_folder(folder.path)
    write_text(folder.report, json.dumps(report(plan.build.dataset).as_json(), indent=1))
    run_yaml.write(folder.settings, plan.config)


def configuration(plan: Plan, live: Mapping[str, float] = MappingProxyType({})) -> Configured:
    """Every setting with its origin; live ones as the doctor has left them."""
    config = plan.config
    found: dict[str, tuple[Any, str]] = {"model": (config.model, str(config.model_origin))}
    for section, values in config.as_nested().items():
        if isinstance(values, dict):
            for name, value in values.items():
                found[f"{section}.{name}"] = (value, str(config.origin(section, name)))
    for name, value in live.items():
        if float(found[f"game.{name}"][0]) != value:
            found[f"game.{name}"] = (value, str(Origin.MONITOR))
    return Configured(found)


def scorer_of(built: Build) -> Generator[Event, None, Scorer | None]:
    """Who scores the run while it goes on, if anybody does."""
    evaluation, training = built.config.evaluation, built.config.training
    if evaluation.evaluate_every is None and training.trials is None:
        return None
    return (yield from Scorer.of(evaluation, built.dataset))


def _scores_take(built: Build, scorer: Scorer | None) -> float:
    every, budget = built.config.evaluation.evaluate_every, built.config.training.budget
    if scorer is None or every is None:
        return 0.0
    return seconds_needed(scorer, built.initial_state(), every, budget)
