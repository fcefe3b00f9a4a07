"""Completion in a shell, from a table of the words of every command.

The commands themselves import torch, which takes seconds. tools/completions.py writes the table
from them.
"""

import json
import os
from collections.abc import Callable
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any

import typer

TABLE = Path(__file__).with_name("completions.json")
LINES = ("COMP_WORDS", "_TYPER_COMPLETE_ARGS")  # variables with the line, by shell


class Names:
    """Completes names; with `files`, none before the first letter, so that shells offer files."""

    def __init__(self, names: list[str], files: bool = False) -> None:
        self.names, self.files = names, files

    def starting(self, incomplete: str) -> list[str]:
        """Those that start as typed."""
        if self.files and not incomplete:
            return []
        return [name for name in self.names if name.startswith(incomplete)]


def line() -> list[str] | None:
    """The words that a shell wants completed, after the name of the program; None if it is none."""
    if "_GANVAS_COMPLETE" not in os.environ:
        return None
    written = next((os.environ[name] for name in LINES if name in os.environ), "")
    return written.split()[1:]


def stand_in(command: str) -> Callable[..., None]:
    """A function with the parameters of a command, for completion."""
    rows = json.loads(TABLE.read_text("utf-8"))[command]

    def nothing(**values: Any) -> None:
        raise AssertionError("it is completed, and never called")

    parameters = [_parameter(f"value{number}", **row) for number, row in enumerate(rows)]
    nothing.__signature__ = Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
    nothing.__annotations__ = {one.name: one.annotation for one in parameters}
    return nothing


def _parameter(
    name: str, flags: list[str], help: str, kind: str, names: list[str], files: bool
) -> Parameter:
    complete = Names(names, files).starting if names else None
    of = {"flag": bool, "path": Path, "paths": list[Path], "text": str}[kind]
    shown = (
        typer.Option(*flags, help=help, autocompletion=complete)
        if flags
        else typer.Argument(help=help, autocompletion=complete)
    )
    return Parameter(
        name,
        Parameter.KEYWORD_ONLY,
        default=False if kind == "flag" else None,
        annotation=Annotated[of, shown],
    )
