"""A process of a run that follows the first one: the same steps on other rows of each batch.

It has no run directory, no callbacks and no clock. What it trains, and from which weights, it is
told by the first process (runs/processes.py).
"""

import signal
from collections.abc import Iterator
from dataclasses import replace

from ganvas.config import Request
from ganvas.config import yaml as run_yaml
from ganvas.errors import GanvasError
from ganvas.runs.build import Build, build
from ganvas.runs.processes import (
    FAILED,
    OVER,
    WAIT,
    Introduction,
    check_faults,
    interrupted,
    take_over,
)
from ganvas.runtime.distributed import ElsewhereError, Place, heard, told
from ganvas.runtime.signals import held_back
from ganvas.runtime.threads import using
from ganvas.training import Goal, TrainingState
from ganvas.training import follow as loop


def follow(request: Request, here: Place) -> None:
    """Follow the first process to the end of the run.

    Ctrl-C, SIGTERM and SIGHUP end the whole run after a step, and are raised again. Raises
    ElsewhereError for what has gone wrong in another process.
    """
    said = told()
    if FAILED in said:
        raise ElsewhereError(said[FAILED])
    introduction = Introduction(**said)
    built = _built(introduction, request, here)
    state = built.initial_state(measured=False)
    take_over(state)
    received: list[signal.Signals] = []
    with held_back(received.append) as signals, using(introduction.threads):
        loop(
            built.trainer,
            state,
            built.loader,
            Goal(introduction.images),
            built.config.training.ema,
            _orders(state, received),
        )
    signals.raise_again()


def _built(introduction: Introduction, request: Request, here: Place) -> Build:
    """What the first process has planned, built here.

    The first process of a machine prepares the images; the others find them in the cache.
    """
    stored = Request.of(dict(run_yaml.as_begun(introduction.config)))
    asked = replace(stored, source=request.source or stored.source)
    built, fault = None, None
    for local_first in (True, False):
        if (here.local_rank == 0) is local_first:
            try:
                built = _prepared(asked, introduction.key)
            except (GanvasError, OSError) as found:
                fault = str(found)
        check_faults(heard(fault))
    assert built is not None, "each has had its turn"
    return built


def _prepared(request: Request, key: str) -> Build:
    steps = build(request)
    try:
        while True:
            next(steps)
    except StopIteration as end:
        built: Build = end.value
    if built.dataset.key != key:
        raise ElsewhereError(f"the images in {built.dataset.source} are not those of the first.")
    return built


def _orders(state: TrainingState, received: list[signal.Signals]) -> Iterator[None]:
    """One for each step that is to be made, with the state brought to what has been decided."""
    while True:
        interrupted(received[0] if received else None)
        order = told()
        if order["kind"] == OVER:
            return
        if order["kind"] == WAIT:
            continue
        state.decide(order["state"])
        if order["weights"]:
            take_over(state)
        yield
