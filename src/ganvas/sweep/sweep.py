"""A sweep: many short runs, the weak pruned early, and the best goes on with what it has learnt.

A trial is an ordinary run in a directory of its own. It is scored on its way, and this loop, which
sees its events, closes it as soon as it is behind.
"""

import os
import platform
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.run_dir import RunDir
from ganvas.config import Request, nest, resolve
from ganvas.config.resolve import NOMINAL
from ganvas.data import locate
from ganvas.errors import GanvasError
from ganvas.events import (
    Configured,
    Event,
    Notice,
    Prepared,
    Scored,
    Step,
    TrialFinished,
    TrialProgress,
)
from ganvas.models import DEFAULT, UnsuitableOptionError
from ganvas.registry import UnknownNameError
from ganvas.runs.branch import branch
from ganvas.runs.fresh import begun
from ganvas.runs.train import train
from ganvas.runtime.atomic import write_text
from ganvas.runtime.locking import BusyError, locked
from ganvas.runtime.names import expand
from ganvas.runtime.validation import SettingsError
from ganvas.sweep.definition import FILE, UNITS, Definition
from ganvas.sweep.report import write_report
from ganvas.sweep.space import Range, SweepError, usual
from ganvas.sweep.study import Study, in_range, optuna
from ganvas.training import DivergedError
from ganvas.training.callbacks.evaluation import SlowScoresError, check_enough

FEWEST = 50  # samples of a score
SAMPLES = 200  # that score a trial, unless another number was said: differences are large
BEST = "best"  # the run that goes on


@dataclass(frozen=True)
class Standing:
    """How a sweep has ended for this worker."""

    best: Path | None  # the run that has gone on; None where others are still at work
    report: Path


def sweep(
    source: str | Path | None = None,
    out: str | Path = "sweep",
    *,
    params: list[str] | None = None,
    trials: int = 20,
    budget: float = 3600.0,
    given: Mapping[str, Any] | None = None,
) -> Generator[Event, None, Standing]:
    """Try settings of a training on the images of `source`, and train on with the best.

    `params` are ranges such as "lr_g=log(1e-3,1e-1)"; without any, learning rates are tried
    around what is planned. `budget` are the seconds for everything on one worker; more
    workers, which call this with the same `out` on any machine that shares it, are done sooner.
    `given` are options of `ganvas.train` for all trials. Without `source` the sweep in `out` is
    joined, or gone on with. A generator of events, which returns a Standing.

    Raises SweepError, and whatever `ganvas.train` raises for the run as planned.
    """
    folder, began = expand(out), time.monotonic()
    optuna()  # raises before anything is written
    if source is None:
        definition = Definition.read(folder)
        planned = yield from _planned(definition.source, definition.goes_on, definition.given)
    else:
        place, options = locate(source), dict(given or {})
        if trials < 2:
            raise SweepError("--trials: a sweep needs two trials or more.")
        ranges = _checked([Range.of(text) for text in params or ()], place, options)
        definition = Definition(place, ranges, trials, budget, options)
        planned = yield from _planned(place, definition.goes_on, options)
        if not ranges:
            ranges = tuple(one for one in usual(planned) if one.setting not in options)
        if not ranges:
            raise SweepError("--param: say what trials are to differ in, such as lr_g=log(1e-3,1).")
        definition = replace(definition, ranges=ranges, images=int(planned["images"]))
    made = not (folder / FILE).exists()
    definition = definition.written(folder) if source is not None else definition
    try:
        study = Study(folder, definition)
    except SweepError:
        if made:
            (folder / FILE).unlink(missing_ok=True)
        raise
    study.first(in_range(definition.ranges, planned))
    try:
        yield from _trials(study)
    except GanvasError:
        if made and not any(one.intermediate_values for one in study.trials):
            study.remove()  # nothing has been learnt: it can be asked for in another way
        raise
    report = write_report(study)
    if others := study.running_elsewhere():
        yield Notice(f"{others} other trials are still running; who ends last goes on.")
        return Standing(None, report)
    left = max(definition.unit, definition.seconds - (time.monotonic() - began))
    return Standing((yield from _best(study, left)), report)


def _checked(ranges: list[Range], source: str, given: Mapping[str, Any]) -> tuple[Range, ...]:
    """The ranges, each of a setting of its own, with values that it may have; raises SweepError."""
    for number, one in enumerate(ranges):
        name = one.setting
        if name in given:
            raise SweepError(f"--param {name}: it was also given a value for all trials.")
        if any(name == other.setting for other in ranges[:number]):
            raise SweepError(f"--param {name}: two ranges are given for it; give one.")
        for value in one.values:
            asked = {n: v for n, v in given.items() if n != "model"} | {name: value}
            settings = {"source": source, "model": given.get("model") or DEFAULT, **nest(asked)}
            try:
                resolve(Request.of(settings), NOMINAL, 1)
            except (SettingsError, UnknownNameError, UnsuitableOptionError) as fault:
                raise SweepError(f"--param {one}: {value} does not suit: {fault}") from fault
    return tuple(ranges)


def _planned(
    source: str, seconds: float, given: Mapping[str, Any]
) -> Generator[Event, None, dict[str, Any]]:
    """The settings of the run as planned, by name.

    Raises EvaluationError where there are too few images to score trials with.
    """
    found: dict[str, Any] = {}
    options = {**given} if "images" in given else {**given, "budget": seconds}
    for event in train(source, dry_run=True, **options):
        if isinstance(event, Configured):
            found = {path.partition(".")[2]: value for path, (value, _) in event.settings.items()}
        elif isinstance(event, Prepared):
            yield event
            check_enough(event.source, event.usable)
    return found


def _trials(study: Study) -> Iterator[Event]:
    """Every trial that nobody else runs, one after the other."""
    while True:
        study.take_up()
        trial = study.ask()
        if trial is None:
            break
        claim = study.claim(study.run_of(trial).path.name)
        with locked(claim):
            write_text(claim / "worker", f"{platform.node()} {os.getpid()}\n")
            yield from _trial(study, trial)
        write_report(study)


def _trial(study: Study, trial: Any) -> Iterator[Event]:
    """Train one trial until it is pruned, or its time is over."""
    definition, values = study.definition, study.suggested(trial)
    unit, score = 0, None
    place = (study.number(trial), definition.trials)
    try:
        with closing(_training(definition, study.run_of(trial), values)) as events:
            for event in events:
                if isinstance(event, Step):
                    share = event.seconds / (definition.unit * UNITS[-1])
                    yield TrialProgress(*place, min(1.0, share))
                if not isinstance(event, Scored):
                    continue
                unit += 1
                score = event.scores["kernel"]
                if unit in UNITS and isfinite(score):
                    trial.report(score, unit)
                    if unit == UNITS[-1] or trial.should_prune():
                        break
    except DivergedError:
        score = None
    complete = unit >= UNITS[-1] and score is not None and isfinite(score)
    study.finish(trial, score if complete else None)
    yield TrialFinished(*place, values, score, unit / UNITS[-1], not complete)


def _training(
    definition: Definition, run: RunDir, values: Mapping[str, Any]
) -> Generator[Event, None, None]:
    """The training of a trial; on a machine that is busy now, with fewer images for each score.

    Raises SweepError where the fewest take too long too.
    """
    options = {"evaluate_count": SAMPLES, **definition.given, **values}
    options |= {"evaluate_every": definition.unit, "images": definition.images}
    while True:
        resume = begun(run)
        source = None if resume else definition.source
        try:
            yield from train(source, run.path, resume=resume, **options)
            return
        except SlowScoresError as fault:  # before the first step: nothing is lost
            fewer = options["evaluate_count"] // 2
            if fewer < FEWEST:
                needed = definition.seconds * 2 * fault.seconds / definition.unit
                raise SweepError(
                    f"a trial is to be scored every {definition.unit:.1f} s, and a score takes "
                    f"{fault.seconds:.1f} s; give --for {needed:.0f}s or more, or fewer --trials."
                ) from fault
            options["evaluate_count"] = fewer


def _best(study: Study, seconds: float) -> Generator[Event, None, Path | None]:
    """Go on with the best trial for so many seconds."""
    ranking = study.ranking()
    if not ranking:
        raise SweepError(
            "no trial generates anything that can be scored; take lower learning rates, or a "
            "longer --for."
        )
    chosen, run = ranking[0], RunDir(study.folder / BEST)
    said = ", ".join(f"{name} {_short(value)}" for name, value in chosen.params.items())
    try:
        with locked(study.folder):
            if not begun(run):
                branch(study.run_of(chosen), run)
            spent = checkpoint.newest(run.checkpoints)[0].state.seconds
            if study.until is None:
                study.goes_on_until(spent + seconds)
        until = study.until or spent + seconds
        if spent >= until:
            yield Notice(f"The sweep has ended; its best run is {run.path}.")
            return run.path
        number = study.number(chosen)
        yield Notice(f"Trial {number} goes on in {run.path}: {said or 'as planned'}.")
        yield from train(None, run.path, resume=True, budget=until, evaluate_every=until)
    except BusyError:  # of two that ended at the same time, one was first
        yield Notice("Another worker goes on with the best trial.")
        return None
    return run.path


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
