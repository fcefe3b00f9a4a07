"""Train a model: the public function, which opens the run directory and drives a session."""

from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

from ganvas.checkpoints.run_dir import RunDir
from ganvas.config import Request, check, merge, nest
from ganvas.config.request import Nested, section
from ganvas.config.resolve import training_settings
from ganvas.data import BUILTIN, locate, passed_by
from ganvas.events import Event, Notice
from ganvas.runs import fine_tune
from ganvas.runs.build import build
from ganvas.runs.fresh import configuration, fine_tuned, fresh
from ganvas.runs.plan import choose_threads, make_plan
from ganvas.runs.resume import build_again, last_checkpoint, request_again, resumed
from ganvas.runs.search import Study
from ganvas.runtime.at_exit import closed_at_exit
from ganvas.runtime.atomic import STALE, sweep
from ganvas.runtime.locking import locked
from ganvas.runtime.names import absolute, expand
from ganvas.runtime.system import system_errors
from ganvas.runtime.threads import using
from ganvas.runtime.validation import Place, arguments, is_place


@arguments
def train(
    source: Place | None = None,
    out: Place = "run",
    *,
    resume: bool = False,
    dry_run: bool = False,
    given: dict[str, Any] | None = None,
    **options: Any,
) -> Iterator[Event]:
    """Train a model on the images of `source` and leave everything in the directory `out`.

    `source` is a folder, a .zip, or a built-in name; `options` are those of the command line, with
    underscores (`model="dcgan"`, `budget="10m"`, `size="64x96"`, `lr_g=1e-3`); `given` is a nested
    description as in run.yaml, which options override. A generator of events: iterate over it to
    the end, or stop early for whatever reason, and the run is saved, at the latest when Python
    ends. Ctrl-C, SIGTERM and SIGHUP finish the step, save, and are raised again.

    A folder that is there comes before a built-in set of the same name, which `builtin:NAME` names.
    With `resume`, `source` may be another place where the same images lie now. With `dry_run`,
    everything is decided and nothing is trained or written: the last event is Configured.

    Raises ArgumentError, SettingsError, RunError, NoImagesError, CheckpointError, PlaceError,
    UnsuitableSizeError, UnsuitableStartError and DivergedError, each with one sentence that says
    what to do.
    """
    with system_errors():
        Request.of(given or {})  # or what is wrong with it, before options hide that
        request = _request(source, merge(given or {}, nest(options)))
        folder = RunDir(expand(out))
        if dry_run:
            return _decide(folder, request, resume, passed_by(source))
        return _events(folder, request, resume, passed_by(source))


def _request(source: str | Path | None, asked: Nested) -> Request:
    """What was asked for in both ways, with names that mean the same from any folder."""
    if source is not None:
        asked["source"] = locate(source)
    elif (
        (said := asked.get("source")) and isinstance(said, str | Path) and str(said) not in BUILTIN
    ):
        asked["source"] = str(absolute(asked["source"]))
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
    folder: RunDir, request: Request, resume: bool, said: str | None
) -> Generator[Event, None, None]:
    with system_errors(), locked(folder.path) as held:
        if said is not None:
            yield Notice(said)
        if not held:
            yield Notice(
                f"The file system of {folder.path} knows no locks: see to it that no other ganvas "
                "works there."
            )
        for place in (folder.path, folder.samples, folder.search):
            sweep(place, 0 if held else STALE)
        if resume:
            session = yield from resumed(request, folder)
        elif request.has("training", "start"):
            session = yield from fine_tuned(request, folder)
        else:
            session = yield from fresh(request, folder)
        yield from session.events()


def _decide(
    folder: RunDir, request: Request, resume: bool, said: str | None
) -> Generator[Event, None, None]:
    """Everything that is decided before a run trains, and nothing that is written."""
    with system_errors():
        if said is not None:
            yield Notice(said)
        live: Mapping[str, float] = {}
        if resume:
            study = Study.of(folder.search)
            found = yield from last_checkpoint(folder, study)
            request = yield from request_again(folder, request, study if not found else None, found)
            built = yield from build_again(folder, request, found)
            live = {} if found is None else found.state.live
        else:
            if request.has("training", "start"):
                start = fine_tune.open_start(training_settings(request).start or "")
                request = fine_tune.take_over(request, start)
            built = yield from build(check(request))
            built.initial_state()  # or why the model cannot be built
        threads = choose_threads(built)
        with using(threads):
            plan = yield from make_plan(built, threads, 0.0)
        yield configuration(plan, live)
