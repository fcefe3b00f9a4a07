"""A run that goes on: from which moment, with which settings, on which images."""

import json
from collections.abc import Generator, Mapping
from dataclasses import asdict
from typing import Any

from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.checkpoint import Checkpoint
from ganvas.checkpoints.run_dir import RunDir
from ganvas.config import Config, Difference, Origin, Request, differences, resolve
from ganvas.config import yaml as run_yaml
from ganvas.config.request import section
from ganvas.config.resolve import NOMINAL
from ganvas.events import Event, Notice
from ganvas.registry import UnknownNameError
from ganvas.runs import fine_tune
from ganvas.runs.build import Build, build
from ganvas.runs.errors import RunError
from ganvas.runs.fresh import planned, scorer_of
from ganvas.runs.opening import Opening
from ganvas.runs.plan import Plan, affordable, choose_threads, micro_batches
from ganvas.runtime.distributed import place
from ganvas.runtime.system import read_regular
from ganvas.runtime.threads import using
from ganvas.runtime.validation import SettingsError
from ganvas.training import TrainingState


def resumed(request: Request, folder: RunDir) -> Generator[Event, None, Opening]:
    """The run in the directory, from its newest whole checkpoint, or from its beginning where it
    was stopped before its first.

    Raises RunError for what a run that has begun cannot change, and CheckpointError.
    """
    found = yield from last_checkpoint(folder)
    request = yield from request_again(folder, request, found)
    built = yield from build_again(folder, request, found)
    if found is None:
        start = built.config.training.start
        trained = None if start is None else fine_tune.open_start(start)
        return (yield from planned(built, folder, trained))
    scorer = yield from scorer_of(built)
    threads = choose_threads(built)
    with using(threads):
        count = yield from micro_batches(built)
        state = built.initial_state(measured=False)
        yield from restore(built, state, found)
        # As many micro-batches as it was found to need, unless more are asked for.
        state.accumulate = max(state.accumulate, count)
        plan = Plan(built, _goal(built, state), threads, count)
    yield Notice(
        f"The run goes on after step {state.step:,}, {state.images:,} of {plan.images:,} images."
    )
    return Opening(folder, plan, state, scorer, found)


def last_checkpoint(folder: RunDir) -> Generator[Event, None, Checkpoint | None]:
    """The newest checkpoint that is whole; None of a run that was stopped before its first.

    Raises RunError where there is no run, CheckpointError where no checkpoint is whole.
    """
    there = checkpoint.list_checkpoints(folder.checkpoints)
    if not there and not folder.settings.exists():
        raise RunError(f"{folder.path} holds no run to resume; leave --resume out to begin one.")
    if not there:
        if any((folder.path / name).is_dir() for name in ("search", "race")):
            yield Notice(
                "The run was stopped in a search for hyperparameters, which is a command of its "
                "own now (ganvas sweep): it begins again as planned."
            )
        else:
            yield Notice("The run was stopped before its first checkpoint: it begins again.")
        return None
    found, passed_over = checkpoint.newest(folder.checkpoints)
    for sentence in passed_over:
        yield Notice(sentence)
    return found


def request_again(
    folder: RunDir, asked: Request, found: Checkpoint | None
) -> Generator[Event, None, Request]:
    """What the run was asked for, changed by what is asked for now; may raise RunError."""
    content = yield from _stored_settings(folder, found)
    stored = Request.of(dict(content))
    request = asked.following(stored, _origins(found))
    before, after = _nominal(Request().following(stored)), _nominal(request)
    changed = differences(before, after)
    if refused := [change for change in changed if not change.allowed]:
        raise RunError(
            "a run that has begun cannot change the form of its images, its model or seed: "
            f"{_list_changes(refused)}; leave that out, or begin another run with another --out."
        )
    if changed:
        yield Notice(f"Changed since the run began: {_list_changes(changed)}.")
    if any(change.path == "training.memory" for change in changed):
        request = request.without_stored("training", "accumulate")
    budgeted = any(change.path == "training.budget" for change in changed)
    if budgeted and not request.has("training", "images"):
        request = request.without_stored("training", "images")
    return request


def _origins(found: Checkpoint | None) -> dict[str, Origin]:
    """Where the settings of a run came from when it began, as far as its checkpoint says."""
    stored = found.metadata.origins if found is not None else {}
    return {path: Origin(name) for path, name in stored.items() if name in set(Origin)}


def settings_of(found: Checkpoint) -> Config:
    """The settings with which a checkpoint was made; raises SettingsError for what is missing."""
    stored = Request.of(dict(run_yaml.as_begun(found.metadata.config)))
    return _nominal(Request().following(stored, _origins(found)))


def _nominal(request: Request) -> Config:
    """Settings to be compared: what depends on the images was stored."""
    return resolve(request, NOMINAL, 1)


def _stored_settings(
    folder: RunDir, found: Checkpoint | None
) -> Generator[Event, None, Mapping[str, Any]]:
    """What run.yaml says; where it is damaged, what the checkpoint remembers of it."""
    try:
        return run_yaml.read_whole(folder.settings)
    except SettingsError as fault:
        if found is None or "source" not in found.metadata.config:
            raise RunError(
                f"{fault} Put it right by hand, or begin another run with another --out."
            ) from None
        yield Notice(f"{fault} The settings that {found.folder.name} holds are used instead.")
        return run_yaml.as_begun(found.metadata.config)


def _list_changes(changes: list[Difference]) -> str:
    return ", ".join(str(change) for change in changes)


def build_again(
    folder: RunDir, request: Request, found: Checkpoint | None
) -> Generator[Event, None, Build]:
    """Build a run that has begun; its images may lie elsewhere now, if they are the same."""
    try:
        built = yield from build(request)
    except UnknownNameError:
        raise RunError(
            f"the images of this run are not in {request.source} any more; say where they are "
            f"now: ganvas train FOLDER --out {folder.path} --resume."
        ) from None
    key, before = _images_before(folder, found)
    if before not in (None, built.dataset.source) and key != built.dataset.key:
        raise RunError(
            f"the images in {built.dataset.source} are not those that this run has learnt "
            f"from, which lay in {before}; name a folder that holds the same files, or begin "
            "another run with another --out."
        )
    return built


def _images_before(folder: RunDir, found: Checkpoint | None) -> tuple[str | None, str | None]:
    """Key and source of the images that the run has learnt from, as far as that is known."""
    if found is not None:
        learnt = found.metadata.dataset
        return (learnt.key, learnt.source) if learnt else (None, None)
    try:
        there = folder.report if folder.report.exists() else folder.old_report
        report = json.loads(read_regular(there))
        return str(report["key"]), str(report["source"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None, None


def restore(built: Build, state: TrainingState, found: Checkpoint) -> Generator[Event, None, None]:
    """Bring a run to where it was when it was saved; may raise CheckpointError."""
    dataset, config = built.dataset, built.config
    before, learnt = found.metadata.config, found.metadata.dataset
    if learnt is None or learnt.key != dataset.key:
        yield Notice(
            "The images have changed since the run began: it continues with the present ones, "
            "and no longer exactly as it would have."
        )
    elif learnt.usable not in (None, dataset.usable):
        yield Notice(
            f"{dataset.usable:,} of the images can be used now, and "
            f"{learnt.usable:,} could when the run was saved: it continues with "
            "these, and no longer exactly as it would have."
        )
    for network, checksum in state.model.pretrained.items():
        if found.metadata.pretrained.get(network, checksum) != checksum:
            raise RunError(
                f"the weights of {network} are not those through which this run has learnt; resume "
                f"with ganvas {found.metadata.ganvas}, or begin another run with another --out."
            )
    if found.metadata.processes != place().count:
        yield Notice(
            f"The run continues in {place().count} process(es), not {found.metadata.processes}: "
            "with the same batches, whose sums may differ in their last bits."
        )
    precision = section(before, "training").get("precision", config.training.precision)
    if precision != config.training.precision:
        yield Notice(f"The run continues in {config.training.precision}, not {precision}.")
    state.restore(found.all_tensors(), found.state)
    then, now = section(before, "game"), asdict(config.game)
    changed = (name for name in state.live if now[name] != then.get(name, now[name]))
    state.live |= {name: float(now[name]) for name in changed}


def _goal(built: Build, state: TrainingState) -> int:
    """With how many images the run ends: as asked for, or what a new budget buys at its rate."""
    training = built.config.training
    if training.images is not None:
        return training.images
    assert training.budget is not None, "resolve leaves one of them"
    left = max(0.0, training.budget - state.seconds)
    if not state.images:  # its time was over before the first step: there is no rate to go by
        return affordable(left, built.timed_rounds(), training.batch)[0]
    return state.images + int(left * state.images / max(state.seconds, 1e-9))
