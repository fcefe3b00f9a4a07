"""A run, from its settings to its pictures: opens the folder, builds everything, and reports."""

import json
import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

import torch

from ganvas import __version__, config
from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.checkpoint import Checkpoint
from ganvas.checkpoints.run_dir import RunFolder
from ganvas.config import Nested, RunSettings
from ganvas.data import BUILTIN, located, passed_by, positions, report
from ganvas.events import Done, Event, Notice
from ganvas.generate.trained import Trained
from ganvas.runs import fine_tune
from ganvas.runs.build import (
    Setup,
    attending,
    fitted,
    planned,
    portioned,
    set_up,
    with_default_size,
    with_threads,
)
from ganvas.runs.resume import RunError, continued, last_checkpoint, set_up_again, settings_again
from ganvas.runs.search import Book, Race
from ganvas.runtime.at_exit import closed_at_exit, ending
from ganvas.runtime.atomic import STALE, sweep, write_text
from ganvas.runtime.locking import locked
from ganvas.runtime.names import absolute, expanded
from ganvas.runtime.signals import held_back
from ganvas.runtime.system import PlaceError, system_errors
from ganvas.runtime.threads import using
from ganvas.runtime.validation import Place, arguments, is_place
from ganvas.training import Goal, TrainingState, Watcher
from ganvas.training import train as loop
from ganvas.training.callbacks import curves
from ganvas.training.callbacks.checkpoints import SCORED, Saver, reference_thumbnails
from ganvas.training.callbacks.evaluation import Evaluator, Judge, reserved
from ganvas.training.callbacks.log import Journal
from ganvas.training.callbacks.samples import Sampler, write_progress


@arguments
def train(
    source: Place | None = None,
    out: Place = "run",
    *,
    resume: bool = False,
    given: dict[str, Any] | None = None,
    **options: Any,
) -> Iterator[Event]:
    """Train a model on the pictures of `source` and leave everything in the folder `out`.

    `source` is a folder, a .zip, or a built-in name; `options` are those of the command line, with
    underscores (`model="dcgan"`, `budget="10m"`, `size="64x96"`, `lr_g=1e-3`); `given` is a nested
    description as in run.yaml, which options override. A generator of events: iterate over it to
    the end, or stop early for whatever reason, and the run is saved, at the latest when Python
    ends. Ctrl-C, SIGTERM and SIGHUP finish the step, save, and are raised again.

    A folder that is there comes before a built-in set of the same name, which `builtin:NAME` names.
    With `resume`, `source` may be another place where the same pictures lie now.

    Raises ArgumentError, SettingsError, RunError, NoPicturesError, CheckpointError, PlaceError,
    UnsuitableSizeError, UnsuitableStartError and DivergedError, each with one sentence that says
    what to do.
    """
    with system_errors():
        asked = _asked(source, given or {}, options)
        return _events(RunFolder(expanded(out)), asked, resume, passed_by(source))


def _asked(source: str | Path | None, given: Nested, options: dict[str, Any]) -> Nested:
    """What was asked for in both ways, with names that mean the same from any folder."""
    asked = config.merged(config.checked(given), config.nested(options))
    if source is not None:
        asked["source"] = located(source)
    elif isinstance(asked.get("source"), str | Path) and str(asked["source"]) not in BUILTIN:
        asked["source"] = str(absolute(asked["source"]))
    start = config.section(asked, "training").get("start")
    if isinstance(start, str | Path) and is_place("train: start", start):
        asked = config.merged(asked, {"training": {"start": fine_tune.located(str(start))}})
    features = config.section(asked, "evaluation").get("features")
    if isinstance(features, str | Path) and Path(features).suffix:  # a file, and no name
        is_place("train: features", features)
        asked = config.merged(asked, {"evaluation": {"features": str(absolute(features))}})
    return asked


@closed_at_exit
def _events(
    folder: RunFolder, asked: Nested, resume: bool, said: str | None
) -> Generator[Event, None, None]:
    with system_errors(), locked(folder.path) as held:
        if said is not None:
            yield Notice(said)
        if not held:
            yield Notice(
                f"The file system of {folder.path} knows no locks: see to it that no other ganvas "
                "works there."
            )
        for place in (folder.path, folder.samples, folder.race):
            sweep(place, 0 if held else STALE)
        yield from _train(folder, asked, resume)


def _train(folder: RunFolder, asked: Nested, resume: bool) -> Iterator[Event]:
    book = Book.of(folder.race) if resume else None
    found = (yield from last_checkpoint(folder, book)) if resume else None
    if found is not None:
        book = None  # the race is over
    name = config.section(asked, "training").get("start")
    if not resume and isinstance(name, str):
        asked = fine_tune.taken_over(asked, fine_tune.opened(name))
    if resume:
        settings = yield from settings_again(folder, asked, book, found)
        setup = yield from set_up_again(folder, settings, found)
    else:
        setup = yield from set_up(_settings(folder, asked))
    start = _start(setup) if found is None else None
    judge = yield from _judge(setup)
    began = time.monotonic()
    setup = with_threads(setup, asked)
    with using(setup.threads):
        later = _scores_take(setup, judge) if found is None else 0.0
        if found is None and setup.settings.training.images is None:
            setup = yield from planned(setup, asked, time.monotonic() - began + later)
        elif not resume:
            setup = yield from fitted(setup, asked)
        setup = yield from portioned(setup)
        if judge is not None and found is None and setup.settings.training.race:
            spent = time.monotonic() - began
            if book is not None:
                race = Race(book, setup, judge, start)
            else:
                race = Race.opened(folder.race, setup, judge, start, asked, spent)
            _describe(folder, setup)
            setup, state = yield from race.run(later)
        else:
            state = setup.start()
            if start is not None:
                yield Notice(fine_tune.load(start, state))
            state.seconds = time.monotonic() - began
        if found is not None:
            setup = yield from continued(folder, setup, state, found)
        _describe(folder, setup)
        yield from _play(folder, setup, state, judge, found)


def _settings(folder: RunFolder, asked: Nested) -> RunSettings:
    """Those of a run that begins; raises RunError where another one lies in its place."""
    if folder.settings.exists() or checkpoint.listed(folder.checkpoints):
        raise RunError(
            f"{folder.path} already holds a run; continue it with --resume, or choose another "
            "--out."
        )
    return with_default_size(config.settled(asked))


def _describe(folder: RunFolder, setup: Setup) -> None:
    """Write down which run this is."""
    write_text(folder.report, json.dumps(report(setup.pictures).as_json(), indent=1))
    config.write(folder.settings, setup.settings)


def _start(setup: Setup) -> Trained | None:
    """What the run starts from, if it does not start from nothing; it suits the pictures."""
    name = setup.settings.training.start
    if name is None:
        return None
    start = fine_tune.opened(name)
    fine_tune.check(start, setup.pictures.shape, len(setup.pictures.classes))
    return start


def _judge(setup: Setup) -> Generator[Event, None, Judge | None]:
    """Who scores the run while it goes on, if anybody does."""
    evaluation, training = setup.settings.evaluation, setup.settings.training
    if evaluation.evaluate_every is None and training.race is None:
        return None
    return (yield from Judge.of(evaluation, setup.pictures))


def _scores_take(setup: Setup, judge: Judge | None) -> float:
    every, budget = setup.settings.evaluation.evaluate_every, setup.settings.training.budget
    if judge is None or every is None:
        return 0.0
    return reserved(judge, setup.start(), every, budget)


def _play(
    folder: RunFolder,
    setup: Setup,
    state: TrainingState,
    judge: Judge | None,
    found: Checkpoint | None,
) -> Iterator[Event]:
    training = setup.settings.training
    assert training.images is not None, "planned or given by now"
    goal = Goal(training.images, training.budget)
    if goal.reached(state):
        yield Notice("The run had reached its end; give it a longer --for, or more --images.")
    journal = Journal.of_run(folder.journal, training.images)
    sampler = Sampler(folder.samples, training.samples, goal.fraction(state))
    saver = _saver(folder, setup, journal)
    if found is None and state.step:  # the winner of a race: from now on it lies here
        yield saver.save(state)
        if (book := Book.of(folder.race)) is not None:
            book.close()
    facts = found.facts if found else {}
    doctor = attending(setup, state, facts)
    evaluator = _evaluator(setup, judge, saver, facts)
    watchers: list[Watcher] = [journal, *doctor, sampler, *evaluator, saver]
    with held_back() as interrupts:

        def stopped() -> bool:
            given_up = any(d.gave_up for d in doctor)
            return bool(interrupts.received) or given_up or ending.is_set()

        steps = loop(setup.game, state, setup.feed, goal, training.ema, watchers, stopped)
        told, owner = state.step, os.getpid()
        try:
            for event in chain(steps, _last_score(evaluator, state, stopped)):
                told = state.step
                journal.note(event)
                try:
                    with interrupts.suspended():
                        yield event
                except BaseException:  # whoever iterates has seen enough, between two steps
                    if os.getpid() == owner:  # and not a fork, which has no part in the run
                        _leave(folder, state, sampler, saver)
                    raise
        except Exception as fault:
            # After a step that is whole: a watcher has failed, or the journal has no place.
            if state.step > told or isinstance(fault, PlaceError):
                with suppress(Exception):
                    saver.save(state)
            raise
        reason = "given up" if any(d.gave_up for d in doctor) else "finished"
        reason = "the end of Python" if ending.is_set() else reason
        reason = interrupts.received.name if interrupts.received else reason
        yield from _leave(folder, state, sampler, saver)
        yield Done(state.step, state.images, state.seconds, reason)
    interrupts.raise_again()


def _evaluator(
    setup: Setup, judge: Judge | None, saver: Saver, facts: Mapping[str, Any]
) -> list[Evaluator]:
    every = setup.settings.evaluation.evaluate_every
    if judge is None or every is None:
        return []
    return [Evaluator(judge, every, saver, facts.get("scored", {}).get("step", -1))]


def _last_score(
    evaluators: list[Evaluator], state: TrainingState, stopped: Callable[[], object]
) -> Iterator[Event]:
    """The score of a run that has come to its end, and which of its checkpoints is the best."""
    if stopped():
        return
    for evaluator in evaluators:
        yield from evaluator.evaluate(state)
        yield from evaluator.verdict()


def _leave(folder: RunFolder, state: TrainingState, sampler: Sampler, saver: Saver) -> list[Event]:
    """Leave the folder as people expect to find it."""
    left: list[Event] = [saver.save(state), sampler.write(state)]
    curves.draw(folder.journal, folder.curves)
    write_progress(folder.samples, folder.progress)
    return left


def _saver(folder: RunFolder, setup: Setup, journal: Journal) -> Saver:
    settings, pictures = setup.settings, setup.pictures
    about = {
        "ganvas": __version__,
        "torch": torch.__version__,
        "model": settings.model,
        "network": asdict(settings.network),
        "shape": list(pictures.shape),
        "classes": list(pictures.classes),
        "game": asdict(settings.game),
        "precision": settings.training.precision,
        "pictures": pictures.key,
        "usable": pictures.usable,
        "source": settings.source,
        "settings": config.as_nested(settings),
    }
    shown = pictures.batch(positions(settings.training.seed, 0, SCORED, len(pictures)))
    training = settings.training
    return Saver(
        folder.checkpoints,
        training.save_every,
        training.keep,
        training.keep_best,
        about,
        reference_thumbnails(shown),
        journal,
    )
