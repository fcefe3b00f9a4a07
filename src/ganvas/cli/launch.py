"""ganvas launch: a run on several processes, GPUs or machines, by an engine that exists."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ganvas.checkpoints.run_dir import RunDir
from ganvas.cli import parsed
from ganvas.cli.complete import Names
from ganvas.cli.options import collect
from ganvas.cli.streams import say
from ganvas.config import Request, merge, nest, resolve, with_overrides
from ganvas.config import yaml as run_yaml
from ganvas.config.resolve import NOMINAL
from ganvas.config.training import seconds
from ganvas.data import BUILTIN
from ganvas.launch import ENGINES, Job, JobError, submit, write
from ganvas.launch.azureml import AzureML
from ganvas.launch.engine import Engine
from ganvas.registry import choose
from ganvas.runs.fresh import begun
from ganvas.runtime.names import expand, printable
from ganvas.runtime.system import PlaceError
from ganvas.sweep.definition import UNITS, Definition
from ganvas.sweep.space import Range

PLACES = "Azure ML"
# Parameters of ganvas train that stand in no run.yaml.
NO_SETTINGS = (
    "source", "out", "resume", "requeue", "dry_run", "track", "trials", "config_file", "override",
)  # fmt: skip


def launch(
    engine: Annotated[
        str,
        typer.Argument(
            metavar="ENGINE",
            help=f"{', '.join(ENGINES)}.",
            autocompletion=Names(list(ENGINES)).starting,
        ),
    ],
    words: Annotated[
        list[str],
        typer.Argument(metavar="-- train ...", help="Command to run, after two dashes."),
    ],
    nodes: Annotated[
        int, typer.Option("--nodes", metavar="N", min=1, max=10_000, help="Number of machines.")
    ] = 1,
    gpus: Annotated[
        int, typer.Option("--gpus", metavar="N", min=0, max=64, help="GPUs of each machine.")
    ] = 0,
    processes: Annotated[
        int | None,
        typer.Option(
            "--processes",
            metavar="N",
            min=1,
            max=1024,
            help="Processes on each machine; as many as GPUs if left out.",
        ),
    ] = None,
    cpus: Annotated[
        int, typer.Option("--cpus", metavar="N", min=1, max=1024, help="CPUs of each process.")
    ] = 1,
    time: Annotated[
        str | None,
        typer.Option("--time", metavar="TIME", help="Time that the job may take, such as 4h."),
    ] = None,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Name of the job.")
    ] = "ganvas",
    compute: Annotated[
        str | None,
        typer.Option(
            "--compute", metavar="NAME", help="Slurm's partition, or Azure ML's compute cluster."
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="URI",
            help="Where the images lie in a datastore.",
            rich_help_panel=PLACES,
        ),
    ] = None,
    results: Annotated[
        str | None,
        typer.Option(
            "--results",
            metavar="URI",
            help="Where the run is to lie in a datastore.",
            rich_help_panel=PLACES,
        ),
    ] = None,
    python: Annotated[
        str | None,
        typer.Option("--python", metavar="FILE", help="Python of the job; this one if left out."),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to", metavar="FILE", help="File of the job; named by the engine if left out."
        ),
    ] = None,
    hand_in: Annotated[
        bool, typer.Option("--submit", help="Hand the job to the engine's client.")
    ] = False,
) -> None:
    """Write a job that trains one run on several processes, and hand it in."""
    chosen = choose("engine", ENGINES, engine)
    if words[:1] not in (["train"], ["sweep"]):
        raise JobError(
            "ganvas launch runs ganvas train: write -- train and its options at the end."
        )
    asked, sweeps = parsed(words), words[0] == "sweep"
    if sweeps and not isinstance(chosen, AzureML):
        raise JobError(
            "a sweep has workers of one process each: call ganvas sweep with the same --out on "
            "every machine; of engines, azureml alone has sweep jobs."
        )
    _check(chosen, {"time": time, "compute": compute, "data": data, "results": results})
    if not sweeps and asked["dry_run"]:
        raise JobError("--dry-run decides on this machine what a job would; leave launch out.")
    if gpus and processes and gpus % processes and processes % gpus:
        raise JobError(f"--gpus {gpus} --processes {processes}: one must divide the other.")
    if sweeps:
        words = [*_trial(words, asked), "--requeue"]
    else:
        _check_settings(asked)
        words = words if {"--requeue", "--resume"} & {*words} else [*words, "--requeue"]
    source = asked["source"]
    job = Job(
        tuple(words),
        Path.cwd(),
        source,
        str(asked["out"]),
        source is None or (source in BUILTIN and not Path(source).exists()),
        nodes,
        gpus,
        processes or max(1, gpus),
        cpus,
        None if time is None else _minutes(time),
        python or sys.executable,
        _name(name),
        data,
        results,
        compute,
    )
    path = (to or Path(chosen.file)).absolute()
    if not path.parent.is_dir():
        raise PlaceError(f"there is no folder {printable(str(path.parent))} for the job's file.")
    if sweeps and isinstance(chosen, AzureML):
        ranges = [Range.of(text) for text in asked["param"] or ()]
        if not ranges:
            raise JobError("--param: say what trials are to differ in, such as lr_g=log(1e-3,1).")
        write(chosen.sweep(job, asked, ranges), path)
    else:
        write(chosen.written(job), path)
    many = "1 process" if job.count == 1 else f"{job.count} processes"
    where = "1 machine" if nodes == 1 else f"{nodes} machines"
    say(f"{printable(str(to or path.name))}: {many} on {where}.")
    if hand_in:
        if said := submit(chosen, job, path):
            say(said)
    else:
        say("To hand it in: " + " ".join(chosen.client(job, Path(path.name))))


def _check(engine: Engine, given: dict[str, str | None]) -> None:
    """Raises JobError for options that the engine has no use for."""
    for name, value in given.items():
        if value is not None and name not in engine.uses:
            others = [other for other, one in ENGINES.items() if name in one.uses]
            raise JobError(f"--{name} is for {' and '.join(others)}; leave it out.")


def _check_settings(asked: dict[str, Any]) -> None:
    """Raises SettingsError for what no images could make right: an engine would try it again and
    again. What a run that goes on or is fine-tuned takes over is known to its machine alone."""
    described = run_yaml.read(asked["config_file"]) if asked["config_file"] else {}
    described = with_overrides(described, asked["override"] or [])
    flags = collect({name: value for name, value in asked.items() if name not in NO_SETTINGS})
    source = {"source": asked["source"]} if asked["source"] else {}
    request = Request.of(merge(described, {**nest(flags), **source}))
    goes_on = asked["resume"] or begun(RunDir(expand(asked["out"])))
    if request.source and not goes_on and not request.has("training", "start"):
        resolve(request, NOMINAL, 1)


def _trial(words: list[str], asked: dict[str, Any]) -> list[str]:
    """The command of a trial of a sweep: what all have in common, for its part of the time."""
    left, skip = ["train"], False
    for word in words[1:]:
        name, equals, _ = word.partition("=")
        if skip or name in ("--param", "--trials", "--for"):
            skip = not skip and not equals
            continue
        left.append(word)
    whole = asked["for_"] or 3600
    sweep = Definition("", (), asked["trials"], float(str(seconds(whole))), {})
    length = max(1, round(sweep.unit * UNITS[-1]))
    every = max(1, round(sweep.unit))
    return [*left, "--for", f"{length}s", "--evaluate-every", f"{every}s", "--track", "mlflow"]


def _minutes(time: str) -> int:
    try:
        return max(1, round(float(str(seconds(time))) / 60))
    except ValueError as fault:
        raise JobError(f"--time: {fault}.") from None


def _name(name: str) -> str:
    if not name or not all(letter.isalnum() or letter in "-_" for letter in name):
        raise JobError(f"--name {name!r}: letters, digits, - and _ only.")
    return name
