"""Command-line options, derived from the fields of the settings dataclasses."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from keyword import iskeyword
from types import UnionType
from typing import Annotated, Any, Optional, Union, get_args, get_origin

import typer
from pydantic import BeforeValidator

from ganvas.cli.streams import say
from ganvas.config import options
from ganvas.config.options import OLD_OPTIONS, renaming
from ganvas.models import MODELS
from ganvas.runtime.validation import Option

Command = Callable[..., None]


def with_settings(sections: tuple[str, ...]) -> Callable[[Command], Command]:
    """Give a command one option for every setting of these sections of run.yaml.

    The command receives them as keyword arguments; those that were not given are None.
    """
    known = options()
    chosen = [option for option in known.values() if option.section in sections]
    old = [
        replace(known[new], name=name)
        for name, new in OLD_OPTIONS.items()
        if known[new].section in sections
    ]
    return with_options(chosen, old)


def with_options(
    derived: list[Option], hidden: Sequence[Option] = ()
) -> Callable[[Command], Command]:
    """Give a command these options, and `hidden` ones that help does not show.

    Options that were not given are None.
    """

    def derive(command: Command) -> Command:
        own = inspect.signature(command).parameters.values()
        kept = [p for p in own if p.kind is not inspect.Parameter.VAR_KEYWORD]
        shown = [_parameter(option) for option in derived]
        parameters = [*kept, *shown, *(_parameter(option, hidden=True) for option in hidden)]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer
        command.__annotations__ = {p.name: p.annotation for p in parameters}
        return command

    return derive


def collect(values: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, by the names that config.nest() knows.

    Old names are reported, and replaced by the new ones.
    """
    found = {name.rstrip("_"): value for name, value in values.items() if value is not None}
    for old, new in OLD_OPTIONS.items():
        if (value := found.pop(old.replace("-", "_"), None)) is not None:
            say(f"ganvas: {renaming(old)}", error=True)
            found.setdefault(new.replace("-", "_"), value)
    return found


def _parameter(option: Option, hidden: bool = False) -> inspect.Parameter:
    kind = _type_of(option)
    flag = f"--{option.name}"
    flags = [flag, f"--no-{option.name}"] if kind is bool else [flag]
    shown = typer.Option("/".join(flags), help=_help(option), show_default=False, hidden=hidden)
    annotation = Annotated[Optional[kind], shown]  # type: ignore[valid-type]  # made at run time
    return inspect.Parameter(
        _python_name(option),
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=annotation,
    )


def _python_name(option: Option) -> str:
    name = option.name.replace("-", "_")
    return f"{name}_" if iskeyword(name) else name


def _type_of(option: Option) -> object:
    """The type that the command line parses; settings parse text such as 10m or 200k themselves."""
    kind, *extras = get_args(option.type) if get_origin(option.type) is Annotated else [option.type]
    if any(isinstance(extra, BeforeValidator) for extra in extras):
        return str
    if get_origin(kind) in (Union, UnionType):
        kind = next(part for part in get_args(kind) if part is not type(None))
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _help(option: Option) -> str:
    default = default_of(option)
    shown = "" if default is None else f" [default: {default}]"
    only = "" if option.users in ((), tuple(MODELS)) else f"{', '.join(option.users)}: "
    return f"{only}{option.info.description}{shown}"


def default_of(option: Option) -> str | None:
    """The default of an option for every model; in words if it depends on something else."""
    extra = option.info.json_schema_extra
    if isinstance(extra, dict):
        return str(extra["default"])
    default = option.info.default
    return None if default is None or option.info.is_required() else _in_words(default)


def _in_words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
