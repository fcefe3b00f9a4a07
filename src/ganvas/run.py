"""A run, from its settings to its pictures: opens the folder, builds everything, and reports."""

import json
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import Any

import torch

from ganvas import __version__, checkpoint, config, starting
from ganvas.checkpoint import Checkpoint
from ganvas.config import Difference, Nested, RunSettings
from ganvas.data import BUILTIN, located, positions, report
from ganvas.errors import GanvasError
from ganvas.events import Done, Event, Notice
from ganvas.latent.trained import Trained
from ganvas.race import Book, Race
from ganvas.registry import UnknownNameError
from ganvas.run_folder import RunFolder
from ganvas.runtime.at_exit import closed_at_exit, ending
from ganvas.runtime.atomic import STALE, sweep, write_text
from ganvas.runtime.locking import locked
from ganvas.runtime.names import absolute, expanded
from ganvas.runtime.system import PlaceError, system_errors
from ganvas.setting_up import (
    Setup,
    attending,
    fitted,
    planned,
    portioned,
    set_up,
    with_default_size,
    with_threads,
)
from ganvas.settings import Place, SettingsError, arguments
from ganvas.training import Goal, TrainingState, Watcher, curves
from ganvas.training import train as loop
from ganvas.training.evaluating import Evaluator, Judge, reserved
from ganvas.training.interrupts import held_back
from ganvas.training.journal import Journal, forget_after
from ganvas.training.sampling import Sampler, write_progress
from ganvas.training.saving import SCORED, Saver, reference_thumbnails
from ganvas.training.threads import using


class RunError(GanvasError, ValueError):
    """A run that cannot start as asked; the message says what to do instead."""


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
    asked = config.merged(config.checked(given or {}), config.nested(options))
    if source is not None:
        asked["source"] = located(source)
    elif isinstance(asked.get("source"), str | Path) and str(asked["source"]) not in BUILTIN:
        asked["source"] = str(absolute(asked["source"]))
    if start := config.section(asked, "training").get("start"):
        asked = config.merged(asked, {"training": {"start": starting.located(str(start))}})
    features = str(config.section(asked, "evaluation").get("features", ""))
    if Path(features).suffix:  # a file, and no name
        asked = config.merged(asked, {"evaluation": {"features": str(absolute(features))}})
    return _events(RunFolder(expanded(out)), asked, resume)


@closed_at_exit
def _events(folder: RunFolder, asked: Nested, resume: bool) -> Generator[Event, None, None]:
    with system_errors(), locked(folder.path) as held:
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
    found = (yield from _last_checkpoint(folder, book)) if resume else None
    if found is not None:
        book = None  # the race is over
    if not resume and (name := config.section(asked, "training").get("start")):
        asked = starting.taken_over(asked, starting.opened(name))
    settings = yield from _settings(folder, asked, resume, book, found)
    setup = yield from (_set_up_again(folder, settings, found) if resume else set_up(settings))
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
                yield Notice(starting.load(start, state))
            state.seconds = time.monotonic() - began
        if found is not None:
            setup = yield from _continued(folder, setup, state, found)
        _describe(folder, setup)
        yield from _play(folder, setup, state, judge, found)


def _describe(folder: RunFolder, setup: Setup) -> None:
    """Write down which run this is."""
    write_text(folder.report, json.dumps(report(setup.pictures).as_json(), indent=1))
    config.write(folder.settings, setup.settings)


def _set_up_again(
    folder: RunFolder, settings: RunSettings, found: Checkpoint | None
) -> Generator[Event, None, Setup]:
    """Set up a run that has begun; its pictures may lie elsewhere now, if they are the same."""
    try:
        setup = yield from set_up(settings)
    except UnknownNameError:
        raise RunError(
            f"the pictures of this run are not in {settings.source} any more; say where they are "
            f"now: ganvas train FOLDER --out {folder.path} --resume."
        ) from None
    key, before = _pictures_before(folder, found)
    if before not in (None, setup.pictures.source) and key != setup.pictures.key:
        raise RunError(
            f"the pictures in {setup.pictures.source} are not those that this run has learnt "
            f"from, which lay in {before}; name a folder that holds the same files, or begin "
            "another run with another --out."
        )
    return setup


def _pictures_before(folder: RunFolder, found: Checkpoint | None) -> tuple[str | None, str | None]:
    """Key and source of the pictures that the run has learnt from, as far as that is known."""
    if found is not None:
        return found.facts["pictures"], found.facts.get("source")
    try:
        told = json.loads(folder.report.read_bytes())
        return str(told["key"]), str(told["source"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None, None


def _start(setup: Setup) -> Trained | None:
    """What the run starts from, if it does not start from nothing; it suits the pictures."""
    name = setup.settings.training.start
    if name is None:
        return None
    start = starting.opened(name)
    starting.check(start, setup.pictures.shape, len(setup.pictures.classes))
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


def _last_checkpoint(
    folder: RunFolder, book: Book | None
) -> Generator[Event, None, Checkpoint | None]:
    there = checkpoint.listed(folder.checkpoints)
    if not there and not folder.settings.exists():
        raise RunError(f"{folder.path} holds no run to resume; leave --resume out to begin one.")
    if not there:
        what = "its first checkpoint: it begins again" if book is None else "the end of its race"
        yield Notice(f"The run was stopped before {what}.")
        return None
    found, passed_over = checkpoint.newest(folder.checkpoints)
    for sentence in passed_over:
        yield Notice(sentence)
    return found


def _settings(
    folder: RunFolder, asked: Nested, resume: bool, book: Book | None, found: Checkpoint | None
) -> Generator[Event, None, RunSettings]:
    if not resume:
        if folder.settings.exists() or checkpoint.listed(folder.checkpoints):
            raise RunError(
                f"{folder.path} already holds a run; continue it with --resume, or choose "
                "another --out."
            )
        return with_default_size(config.settled(asked))
    stored = (yield from _stored(folder, found)) if book is None else book.settings
    before = config.settled(stored)
    after = config.settled(config.merged(stored, _particular(asked)))
    changed = config.differences(before, after)
    if refused := [change for change in changed if not change.allowed]:
        raise RunError(
            "a run that has begun cannot change the form of its pictures, its model or seed: "
            f"{_listed(refused)}; leave that out, or begin another run with another --out."
        )
    if changed:
        yield Notice(f"Changed since the run began: {_listed(changed)}.")
    if any(change.path == "training.memory" for change in changed):
        after = replace(after, training=replace(after.training, accumulate=None))
    budgeted = any(change.path == "training.budget" for change in changed)
    if budgeted and "images" not in asked.get("training", {}):
        return replace(after, training=replace(after.training, images=None))
    return after


def _stored(folder: RunFolder, found: Checkpoint | None) -> Generator[Event, None, Nested]:
    """What run.yaml says; where it is damaged, what the checkpoint remembers of it."""
    try:
        return config.read_whole(folder.settings)
    except SettingsError as fault:
        if found is None or found.facts.get("settings") is None:
            raise RunError(
                f"{fault} Put it right by hand, or begin another run with another --out."
            ) from None
        yield Notice(f"{fault} The settings that {found.folder.name} holds are used instead.")
        return dict(found.facts["settings"])


def _particular(asked: Nested) -> Nested:
    """What was asked for without "auto", which agrees with whatever was chosen before, and without
    a race, which there is only before a run begins."""
    return {
        section: {key: value for key, value in given.items() if value != "auto" and key != "race"}
        if isinstance(given, dict)
        else given
        for section, given in asked.items()
    }


def _listed(changes: list[Difference]) -> str:
    return ", ".join(str(change) for change in changes)


def _continued(
    folder: RunFolder, setup: Setup, state: TrainingState, found: Checkpoint
) -> Generator[Event, None, Setup]:
    if found.facts["pictures"] != setup.pictures.key:
        yield Notice(
            "The pictures have changed since the run began: it goes on with those that are there "
            "now, and no longer exactly as it would have."
        )
    elif found.facts.get("usable", setup.pictures.usable) != setup.pictures.usable:
        yield Notice(
            f"{setup.pictures.usable:,} of the pictures can be used now, and "
            f"{found.facts['usable']:,} could when the run was saved: it goes on with those that "
            "are there now, and no longer exactly as it would have."
        )
    if found.facts["precision"] != setup.settings.training.precision:
        yield Notice(
            f"The run goes on in {setup.settings.training.precision}, after "
            f"{found.facts['precision']} so far."
        )
    state.restore(found.all_tensors(), found.facts)
    # As many portions as it was found to need, unless more are asked for.
    state.accumulate = max(state.accumulate, setup.settings.training.accumulate or 1)
    before, now = found.facts["game"], asdict(setup.settings.game)
    changed = (name for name in state.knobs if now[name] != before.get(name, now[name]))
    state.knobs |= {name: float(now[name]) for name in changed}
    forget_after(folder.journal, state.step)
    return (yield from _extended(setup, state))


def _extended(setup: Setup, state: TrainingState) -> Generator[Event, None, Setup]:
    """What a new budget buys at the rate of the run so far."""
    training = setup.settings.training
    if training.images is not None or training.budget is None:
        return setup
    if not state.images:  # its time was over before the first step: there is no rate to go by
        return (yield from planned(setup, config.as_nested(setup.settings), state.seconds))
    left = max(0.0, training.budget - state.seconds)
    more = int(left * state.images / max(state.seconds, 1e-9))
    return setup.with_images(state.images + more)


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
        try:
            for event in chain(steps, _last_score(evaluator, state, stopped)):
                journal.note(event)
                yield event
        except GeneratorExit:  # whoever iterates has seen enough, between two steps
            _leave(folder, state, sampler, saver)
            raise
        except PlaceError:  # journal or samples have no place, between two steps
            with suppress(GanvasError):
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
