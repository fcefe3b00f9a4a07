"""The command line. One file per command, imported only when called: help must not load torch.

To add a command: write its file with one function of the command's name, then add its line here.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import typer

from ganvas.cli.streams import outlets, say
from ganvas.errors import GanvasError
from ganvas.runtime.names import condense
from ganvas.runtime.signals import ended_in_order
from ganvas.runtime.system import system_errors

COMMANDS = {
    "train": "Train a model on your images: a folder, a .zip, or a built-in set.",
    "sample": "Generate new images with a trained model.",
    "evaluate": "Score a trained model against its training images.",
    "doctor": "Show what went wrong in a run, what was done, and whether it helped.",
    "walk": "Film a walk through a trained model, from image to image.",
    "mix": "Cross the shapes of some images with the colours of others.",
    "grow": "Film how images grow, from 4x4 to their size.",
    "export": "Write a trained generator as one small file, to keep or to share.",
    "style": "Repaint a photograph in the style of paintings.",
    "data": "Say which images of a source are usable, and why others are not.",
    "demo": "A minute of training on the built-in digits, and a photograph repainted.",
}
USAGE, FAILURE, INTERRUPTED = 2, 1, 130


def application(arguments: list[str]) -> typer.Typer:
    """The application for this call: the command that is called, and the help of the others."""
    app = typer.Typer(
        name="ganvas",
        help="Train a GAN on your images, and repaint images, on your own machine.",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    for name, summary in COMMANDS.items():
        command = _load(name) if name in arguments[:1] else _named_only
        app.command(name, help=summary)(command)
    return app


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
    say(*usage, f"Error: {condense(fault.format_message())}", error=True)
    return int(fault.exit_code)


def _load(name: str) -> Callable[..., Any]:
    command: Callable[..., Any] = getattr(import_module(f".{name}", __package__), name)
    return command


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
