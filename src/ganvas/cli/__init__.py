"""The command line. One file per command, imported only when called: help must not load torch.

To add a command: write its file with one function of the command's name, then add its line here.
"""

import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import typer

from ganvas.cli.complete import line, stand_in
from ganvas.cli.help import WIDEST, Command
from ganvas.cli.streams import outlets, say
from ganvas.errors import GanvasError
from ganvas.runtime.names import condense
from ganvas.runtime.signals import ended_in_order
from ganvas.runtime.system import system_errors

# What each command does, in at most 60 characters, and how it is typed.
COMMANDS = {
    "train": (
        "Train a model on your own images.",
        "ganvas train my-images/ --out my-run --for 10m",
    ),
    "steer": (
        "Change a run while it trains.",
        "ganvas steer my-run --lr-g 0.01",
    ),
    "runs": (
        "List the runs below a folder, and how they stand.",
        "ganvas runs",
    ),
    "branch": (
        "Begin another run from a checkpoint of this one.",
        "ganvas branch my-run --out slower",
    ),
    "sweep": (
        "Try settings in short runs, and train on with the best.",
        "ganvas sweep my-images/ --param 'lr_g=log(1e-3,1e-1)' --for 2h",
    ),
    "launch": (
        "Train on several GPUs or machines.",
        "ganvas launch slurm --nodes 2 --gpus 4 -- train my-images/",
    ),
    "studio": (
        "Train, watch and steer in the browser.",
        "ganvas studio",
    ),
    "sample": (
        "Generate new images with a trained model.",
        "ganvas sample my-run --count 16 --out new-images",
    ),
    "evaluate": (
        "Score a trained model against its training images.",
        "ganvas evaluate my-run",
    ),
    "doctor": (
        "Report what went wrong in a run, and what was done.",
        "ganvas doctor my-run",
    ),
    "walk": (
        "Film a latent interpolation from image to image.",
        "ganvas walk my-run --seeds 1-8 --out walk.mp4",
    ),
    "mix": (
        "Cross the shapes of some images with the colours of others.",
        "ganvas mix my-run --rows 1-4 --cols 5-10",
    ),
    "grow": (
        "Film how images grow from 4x4 to their full size.",
        "ganvas grow my-run --out grow.gif",
    ),
    "export": (
        "Write a trained generator as one small file.",
        "ganvas export my-run --out generator.safetensors",
    ),
    "style": (
        "Repaint photographs in the style of paintings.",
        "ganvas style photo.jpg painting.jpg --out styled.png",
    ),
    "art": (
        "Turn paintings into signed prints, step by step.",
        "ganvas art photos/ --paintings paintings/ --signature me.png",
    ),
    "sign": (
        "Write copies of images with a signature in a corner.",
        "ganvas sign new-images/ --signature signature.png --out signed",
    ),
    "data": (
        "List which images are usable, and why others are not.",
        "ganvas data my-images/",
    ),
    "demo": (
        "Train on digits for a minute, then repaint a photograph.",
        "ganvas demo",
    ),
}
START = ("train", "sample", "style")  # the commands that the first page of help shows typed
USAGE, FAILURE, INTERRUPTED = 2, 1, 130


def application(arguments: list[str]) -> typer.Typer:
    """The application for this call: the command that is called, and the help of the others."""
    app = typer.Typer(
        name="ganvas",
        help="Train a GAN on your own images, and repaint photographs, on your own machine.",
        epilog=_typed(*START),
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"], "max_content_width": WIDEST},
    )
    app.callback()(_options)
    completed = line()
    words, take = (arguments, load) if completed is None else (completed, stand_in)
    for name, (summary, _) in COMMANDS.items():
        command = take(name) if name in words[:1] else _named_only
        app.command(name, cls=Command, help=summary, epilog=_typed(name))(command)
    return app


def _typed(*names: str) -> str:
    """Examples in help; the mark in front keeps their lines apart."""
    lines = [COMMANDS[name][1] for name in names]
    return "\n".join(["\b", f"Example{'s' if len(lines) > 1 else ''}:", *(f"  {x}" for x in lines)])


def main(arguments: list[str] | None = None) -> None:
    """Run a command; a GanvasError becomes one sentence on stderr and an exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    with outlets() as streams, ended_in_order():
        status = _status(given)
        for stream in streams:
            stream.flush()
        for sentence in filter(None, (stream.sentence() for stream in streams)):
            say(f"ganvas: {sentence}", error=True)
        if status == 0 and any(stream.fault for stream in streams):
            status = FAILURE
    if arguments is None and os.environ.get("WORLD_SIZE", "1") != "1":
        # One process of several: taking down torch's threads in order may abort it.
        os._exit(status)
    sys.exit(status)


def _status(arguments: list[str]) -> int:
    """Run a command, or show help if none is named; return the exit status."""
    app, asked = application(arguments), arguments or ["--help"]
    try:
        with system_errors():
            status = app(asked, prog_name="ganvas", standalone_mode=False)
        return int(status or 0) if arguments else USAGE
    except GanvasError as fault:
        say(f"ganvas: {condense(str(fault))}", error=True)
        return FAILURE
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except SystemExit as end:  # a signal that was held back
        return int(end.code or 0)
    except Exception as fault:
        if not hasattr(fault, "format_message"):
            raise
        return _usage(fault)


def _usage(fault: Any) -> int:
    """Report a usage error. Typer does not export the classes of these errors."""
    context = getattr(fault, "ctx", None)
    usage = [] if context is None else context.get_usage().split("\n")
    message = fault.format_message().replace("Value error, ", "")  # pydantic's, by way of typer
    say(*usage, f"Error: {condense(message)}", error=True)
    return int(fault.exit_code)


def load(name: str) -> Callable[..., Any]:
    """The function of a command."""
    command: Callable[..., Any] = getattr(import_module(f".{name}", __package__), name)
    return command


def parsed(words: list[str]) -> dict[str, Any]:
    """The parameters of a command that is written out, checked and not run."""
    name, *rest = words
    group: Any = typer.main.get_command(application(words))
    found: dict[str, Any] = group.commands[name].make_context(f"ganvas {name}", rest).params
    return found


def _named_only() -> None:
    """A placeholder in help for a command that this call does not run."""


def _version(asked: bool) -> None:
    from ganvas import __version__

    if asked:
        say(__version__)
        raise typer.Exit


def _options(
    version: bool = typer.Option(
        False,
        "--version",
        is_eager=True,
        callback=_version,
        help="Show the version and exit.",
    ),
) -> None:
    """The options before a command."""
