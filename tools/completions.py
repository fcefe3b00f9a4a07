"""Write the table from which shells complete ganvas's commands: python tools/completions.py."""

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from typer.models import ArgumentInfo

from ganvas.cli import COMMANDS, load
from ganvas.cli.complete import TABLE, Names


def table() -> str:
    """The table as JSON: a list of parameters for each command."""
    rows = {name: list(parameters(name)) for name in COMMANDS}
    lines = (
        f" {json.dumps(name)}: [\n" + ",\n".join(f"  {json.dumps(row)}" for row in found) + "\n ]"
        for name, found in rows.items()
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def parameters(command: str) -> Iterator[dict[str, Any]]:
    """The visible parameters of a command, as `stand_in` takes them."""
    for parameter in inspect.signature(load(command)).parameters.values():
        kind, shown = _parts(parameter.annotation)
        if shown.hidden:
            continue
        names = getattr(shown.autocompletion, "__self__", Names(_choices(kind)))
        flags = [shown.default, *(shown.param_decls or ())]  # the first one comes as default
        yield {
            "flags": [] if isinstance(shown, ArgumentInfo) else flags,
            "help": shown.help,
            "kind": _kind(kind),
            "names": names.names,
            "files": names.files,
        }


def _parts(annotation: Any) -> tuple[Any, Any]:
    kind, shown = get_args(annotation)[:2]
    while get_origin(kind) in (Union, UnionType) or get_origin(kind) is Annotated:
        kind = next(part for part in get_args(kind) if part is not NoneType)
    return kind, shown


def _choices(kind: Any) -> list[str]:
    return list(get_args(kind)) if get_origin(kind) is Literal else []


def _kind(kind: Any) -> str:
    if kind is bool:
        return "flag"
    if kind is Path:
        return "path"
    return "paths" if kind == list[Path] else "text"


if __name__ == "__main__":
    TABLE.write_text(table(), "utf-8")
