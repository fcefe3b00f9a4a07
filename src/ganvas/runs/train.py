"""Train a model: the public function, which opens the run directory and drives a session."""

import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ganvas.checkpoints.run_dir import RunDir
from ganvas.config import Request, merge, nest
from ganvas.config.request import Nested, section
from ganvas.data import locate, passed_by, stored
from ganvas.events import Event, Notice
from ganvas.runs import fine_tune
from ganvas.runs.follower import follow
from ganvas.runs.fresh import begun, fine_tuned, fresh
from ganvas.runs.mailbox import FolderMailbox
from ganvas.runs.opening import Opening
from ganvas.runs.processes import check_alike, introduce, leading
from ganvas.runs.resume import resumed
from ganvas.runtime.at_exit import closed_at_exit
from ganvas.runtime.atomic import STALE, sweep
from ganvas.runtime.distributed import joined
from ganvas.runtime.locking import locked
from ganvas.runtime.names import absolute, expand
from ganvas.runtime.system import system_errors
from ganvas.runtime.validation import Place, arguments, is_place


@arguments
def train(
    source: Place | None = None,
    out: Place = "run",
    *,
    resume: bool = False,
    requeue: bool = False,
    dry_run: bool = False,
    given: dict[str, Any] | None = None,
    **options: Any,
) -> Iterator[Event]:
    """Train a model on the images of `source` and write everything to the folder `out`.

    `source` is a folder, a .zip, or a built-in name; `options` are those of the command line, with
    underscores (`model="dcgan"`, `budget="10m"`, `size="64x96"`, `lr_g=1e-3`); `given` is a nested
    dictionary as in run.yaml, which options override. A generator of events: iterate over it to
    the end, or stop early for whatever reason, and the run is saved, at the latest when Python
    ends. Ctrl-C, SIGTERM and SIGHUP finish the step, save, and are raised again.

    A folder takes precedence over a built-in set of its name; `builtin:NAME` is the built-in set.
    With `resume`, `source` may be the new path of the same images; with `requeue` the same call
    begins a run, and goes on with it where it has begun. Processes that `torchrun` starts train one
    run together. With `dry_run`, all settings are decided; nothing is trained or written: the last
    event is Configured.

    Raises ArgumentError, SettingsError, RunError, NoImagesError, CheckpointError, PlaceError,
    UnsuitableSizeError, UnsuitableStartError and DivergedError, each with one sentence that says
    what to do.
    """
    with system_errors():
        Request.of(given or {})  # raises for what options would hide
        request = _request(source, merge(given or {}, nest(options)))
        folder, said = RunDir(expand(out)), passed_by(source)
        if dry_run:
            return _decide(folder, request, resume or (requeue and begun(folder)), said)
        return _events(folder, request, resume, requeue, said)


def _restarted() -> bool:
    """Whether `torchrun` has started this process again, after one of the run was lost."""
    return os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") != "0"


def _request(source: str | Path | None, asked: Nested) -> Request:
    """What was asked for in both ways, with names that mean the same from any folder."""
    if source is not None:
        asked["source"] = locate(source)
    elif (said := asked.get("source")) and isinstance(said, str | Path):
        asked["source"] = stored(said)
    start = section(asked, "training").get("start")
    if isinstance(start, str | Path) and is_place("train: start", start):
        asked = merge(asked, {"training": {"start": fine_tune.locate(str(start))}})
    features = section(asked, "evaluation").get("features")
    if isinstance(features, str | Path) and Path(features).suffix:  # a file, and no name
        is_place("train: features", features)
        asked = merge(asked, {"evaluation": {"features": str(absolute(features))}})
    return Request.of(asked)


@closed_at_exit
def _events(
    folder: RunDir, request: Request, resume: bool, requeue: bool, said: str | None
) -> Generator[Event, None, None]:
    with system_errors(), joined() as here, ExitStack() as stack:
        check_alike(request, {"resume": resume, "requeue": requeue})
        if here.rank:
            follow(request, here)
            return
        with leading():
            # Only here: the others may not see the directory.
            resume = resume or ((requeue or _restarted()) and begun(folder))
            held = stack.enter_context(locked(folder.path))
            if said is not None:
                yield Notice(said)
            if not held:
                yield Notice(
                    f"The file system of {folder.path} knows no locks: make sure that no other "
                    "ganvas uses it."
                )
            if here.count > 1:
                yield Notice(f"{here.count} processes train this run together.")
            for place in (folder.path, folder.samples):
                sweep(place, 0 if held else STALE)
            FolderMailbox(folder.commands).clear()
            opening = yield from _opened(folder, request, resume)
            session = yield from opening.session()
        introduce(session.plan, session.state)
        yield from session.events()


def _decide(
    folder: RunDir, request: Request, resume: bool, said: str | None
) -> Generator[Event, None, None]:
    """Everything that is decided before a run trains, and nothing that is written."""
    with system_errors():
        if said is not None:
            yield Notice(said)
        opening = yield from _opened(folder, request, resume)
        yield opening.configured()


def _opened(folder: RunDir, request: Request, resume: bool) -> Generator[Event, None, Opening]:
    """One of the three ways in which a run begins."""
    if resume:
        return (yield from resumed(request, folder))
    if request.has("training", "start"):
        return (yield from fine_tuned(request, folder))
    return (yield from fresh(request, folder))
