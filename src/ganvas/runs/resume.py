"""A run that goes on: from which moment, with which settings, with which pictures."""

import json
from collections.abc import Generator
from dataclasses import asdict, replace

from ganvas import config
from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.checkpoint import Checkpoint
from ganvas.checkpoints.run_dir import RunFolder
from ganvas.config import Difference, Nested, RunSettings
from ganvas.errors import GanvasError
from ganvas.events import Event, Notice
from ganvas.registry import UnknownNameError
from ganvas.runs.build import Setup, planned, set_up
from ganvas.runs.search import Book
from ganvas.runtime.system import read_regular
from ganvas.runtime.validation import SettingsError
from ganvas.training import TrainingState
from ganvas.training.callbacks.log import forget_after


class RunError(GanvasError, ValueError):
    """A run that cannot start as asked; the message says what to do instead."""


def last_checkpoint(
    folder: RunFolder, book: Book | None
) -> Generator[Event, None, Checkpoint | None]:
    """The newest checkpoint that is whole; None of a run that was stopped before its first.

    Raises RunError where there is no run, CheckpointError where no checkpoint is whole.
    """
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


def settings_again(
    folder: RunFolder, asked: Nested, book: Book | None, found: Checkpoint | None
) -> Generator[Event, None, RunSettings]:
    """What the run was asked for, changed by what is asked for now; may raise RunError."""
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


def set_up_again(
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
        told = json.loads(read_regular(folder.report))
        return str(told["key"]), str(told["source"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None, None


def continued(
    folder: RunFolder, setup: Setup, state: TrainingState, found: Checkpoint
) -> Generator[Event, None, Setup]:
    """Bring a run to where it was when it was saved; may raise CheckpointError."""
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
