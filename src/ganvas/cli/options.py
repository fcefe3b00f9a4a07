"""Command-line options, derived from the fields of the settings dataclasses."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from keyword import iskeyword
from types import UnionType
from typing import Annotated, Any, Literal, Optional, Union, get_args, get_origin

import typer
from pydantic import BeforeValidator

from ganvas.cli.help import FIRST, Describe, Entry, value_of
from ganvas.cli.streams import say
from ganvas.config import options
from ganvas.config.options import (
    GROUPS,
    OLD_OPTIONS,
    default_for,
    default_in_words,
    heading_of,
    options_for,
    renaming,
)
from ganvas.config.training import count, seconds, size
from ganvas.models import DEFAULT, ModelSpec, spec_of
from ganvas.runtime.validation import Option

Callback = Callable[..., None]

SHORT = 26  # characters of a flag with its choices; longer choices stand in its text
PARSED: dict[Any, str] = {seconds: "TIME", count: "N", size: "BYTES"}  # metavars, by parser
KINDS = {int: "N", float: "X", str: "TEXT"}  # and by type


def with_settings(*sections: str, first: Sequence[str] = ()) -> Callable[[Callback], Callback]:
    """Give a command one option for every setting of these sections of run.yaml.

    Help shows the `first` ones before all others. The command receives them as keyword arguments;
    those that were not given are None.
    """
    known = options()
    chosen = [option for option in known.values() if option.section in sections]
    old = [
        replace(known[new], name=name)
        for name, new in OLD_OPTIONS.items()
        if known[new].section in sections
    ]

    def describe(arguments: list[str]) -> dict[str, Entry]:
        spec = spec_of(value_of("--model", arguments) or DEFAULT)
        own = options_for(spec)

        def of(option: Option) -> ModelSpec:
            return spec if option.name in own else spec_of(option.users[0])

        return {
            f"--{option.name}": Entry(
                FIRST if option.name in first else heading_of(option),
                help_of(own.get(option.name, option), default_for(option, of(option))),
                "" if option.name in own else ", ".join(option.users),
            )
            for option in sorted(chosen, key=lambda one: [*GROUPS].index(heading_of(one)))
        }

    return with_options(chosen, old, describe, _default_at_first)


def _default_at_first(option: Option) -> str | None:
    """The default of an option for the default model, or for the first model that has it."""
    return default_for(option, spec_of(DEFAULT if DEFAULT in option.users else option.users[0]))


def with_options(
    derived: list[Option],
    hidden: Sequence[Option] = (),
    describe: Describe | None = None,
    default_of: Callable[[Option], str | None] = default_in_words,
) -> Callable[[Callback], Callback]:
    """Give a command these options, and `hidden` ones that help does not show.

    Options that were not given are None. Shell completion shows what `default_of` says.
    """

    def derive(command: Callback) -> Callback:
        own = inspect.signature(command).parameters.values()
        kept = [p for p in own if p.kind is not inspect.Parameter.VAR_KEYWORD]
        shown = [_parameter(option, default_of(option)) for option in derived]
        parameters = [*kept, *shown, *(_parameter(old, None, hidden=True) for old in hidden)]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer
        command.__annotations__ = {p.name: p.annotation for p in parameters}
        command.describe = describe  # type: ignore[attr-defined]  # for help
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


def _parameter(option: Option, default: str | None, hidden: bool = False) -> inspect.Parameter:
    kind = _type_of(option)
    flag = f"--{option.name}"
    flags = [flag, f"--no-{option.name}"] if kind is bool else [flag]
    shown = typer.Option(
        "/".join(flags),
        help=help_of(option, default),
        metavar=None if kind is bool else _metavar(option),
        show_default=False,
        hidden=hidden,
    )
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


def _type_of(option: Option) -> Any:
    """The type that the command line parses; settings parse text such as 10m or 200k themselves."""
    if _parser_of(option):
        return str
    kind = get_args(option.type)[0] if get_origin(option.type) is Annotated else option.type
    if get_origin(kind) in (Union, UnionType):
        kind = next(part for part in get_args(kind) if part is not type(None))
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _parser_of(option: Option) -> Callable[..., Any] | None:
    """The function with which a setting parses text, if it has one."""
    extras = get_args(option.type)[1:] if get_origin(option.type) is Annotated else ()
    return next((one.func for one in extras if isinstance(one, BeforeValidator)), None)


def _metavar(option: Option) -> str:
    """The placeholder of the value in help: a unit, or the choices if they are short."""
    kind, extra = _type_of(option), option.info.json_schema_extra
    if isinstance(extra, dict) and "metavar" in extra:
        return str(extra["metavar"])
    if get_origin(kind) is Literal:
        return "NAME" if _is_long(option) else "|".join(get_args(kind))
    parser = _parser_of(option)
    return PARSED[parser] if parser else KINDS[kind]


def _is_long(option: Option) -> bool:
    """Whether the choices are too long to stand beside the flag."""
    return len(f"--{option.name} {'|'.join(get_args(_type_of(option)))}") > SHORT


def help_of(option: Option, default: str | None) -> str:
    """An option's text in help: its description, its choices if they are long, its default."""
    listed = f" One of {', '.join(get_args(_type_of(option)))}." if _is_long(option) else ""
    shown = "" if default is None else f" [default: {default}]"
    return f"{option.info.description}{listed}{shown}"
