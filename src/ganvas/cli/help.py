"""Help under headings: the most used options with --help, all of them with --help-all."""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from itertools import chain, pairwise
from textwrap import wrap
from typing import Any

import typer
from typer.core import TyperCommand

WIDEST = 100  # columns
FIRST = "Options"  # the heading of the options that --help shows
OTHERS = "Options of other models"
_ARGUMENTS, _ALL = "ganvas.arguments", "ganvas.all"  # in a context's meta


@dataclass(frozen=True)
class Entry:
    """An option in help: its heading, and its text with the default."""

    heading: str
    text: str
    others: str = ""  # the models that have it, if the one named on the line does not


Describe = Callable[[list[str]], Mapping[str, Entry]]
"""The entries of a command's options by flag, for the arguments on the line."""


class Command(TyperCommand):
    """A command whose help is short with --help, and complete with --help-all.

    A callback's attribute `describe`, a `Describe`, says what depends on the other arguments. An
    option's own `rich_help_panel` is its heading otherwise.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, of which the last two are --help and --help-all."""
        *own, shorter = super().get_params(ctx)
        complete = copy(shorter)
        complete.name, complete.opts = "help_all", ["--help-all"]
        complete.help, complete.callback = "Show every option and exit.", _show_all  # type: ignore[attr-defined]  # an option
        return [*own, shorter, complete]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep the arguments, which the defaults in help depend on."""
        ctx.meta[_ARGUMENTS] = list(args)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, then the options under their headings."""
        asked_for_all = ctx.meta.get(_ALL, False)
        headed = self.headed(ctx)
        shown = headed if asked_for_all else {FIRST: headed[FIRST]}
        arguments = [
            (parameter.metavar or parameter.name, _tight(parameter.get_help_record(ctx)[1]))
            for parameter in self.get_params(ctx)
            if parameter.param_type_name == "argument"
        ]
        widest = max(len(flags) for flags, _ in chain(arguments, *shown.values()))
        column = min(widest, formatter.width // 3)
        for heading, rows in {"Arguments": arguments, **shown}.items():
            _write(formatter, heading, rows, column)
        if asked_for_all:
            _write(formatter, OTHERS, self._others(ctx), column)

    def headed(self, ctx: Any, others: bool = False) -> dict[str, list[tuple[str, str]]]:
        """Flags and text of every option of the model in question, by heading.

        With `others` those of other models too, each with the models that have it.
        """
        entries = self._entries(ctx)
        found: dict[str, list[tuple[str, str]]] = {FIRST: []}
        found |= {entry.heading: [] for entry in entries.values()}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None or parameter.param_type_name == "argument":
                continue
            panel = getattr(parameter, "rich_help_panel", None) or FIRST
            entry = entries.get(parameter.opts[0], Entry(panel, record[1]))
            if not entry.others:
                found.setdefault(entry.heading, []).append((record[0], _tight(entry.text)))
            elif others:
                text = f"{_tight(entry.text)} ({entry.others})"
                found.setdefault(OTHERS, []).append((record[0], text))
        return {heading: rows for heading, rows in found.items() if rows}

    def _others(self, ctx: Any) -> list[tuple[str, str]]:
        """Models, and the flags that only they have."""
        found: dict[str, list[str]] = {}
        for flag, entry in self._entries(ctx).items():
            found.setdefault(entry.others, []).append(flag)
        return [(models, ", ".join(flags)) for models, flags in found.items() if models]

    def _entries(self, ctx: Any) -> Mapping[str, Entry]:
        describe: Describe | None = getattr(self.callback, "describe", None)
        return describe(ctx.meta.get(_ARGUMENTS, [])) if describe else {}


def _write(formatter: Any, heading: str, rows: list[tuple[str, str]], column: int) -> None:
    """Write a heading and its rows, whose texts all begin at the same column.

    Unlike the formatter's own lists, they are never broken within a flag such as --lr-g.
    """
    if not rows:
        return
    indent = " " * (2 + column + 2)
    with formatter.section(heading):
        for flags, text in rows:
            lines = wrap(text, formatter.width - len(indent), break_on_hyphens=False) or [""]
            if len(flags) <= column:
                formatter.write(f"  {flags:{column}}  {lines.pop(0)}\n")
            else:
                formatter.write(f"  {flags}\n")
            formatter.write("".join(f"{indent}{line}\n" for line in lines))


def _tight(text: str) -> str:
    return text.replace("  [", " [")


def value_of(flag: str, arguments: list[str]) -> str | None:
    """The value of an option among arguments, the last one if it is given several times."""
    found = None
    for argument, following in pairwise([*arguments, ""]):
        if argument == flag:
            found = following
        elif argument.startswith(f"{flag}="):
            found = argument.removeprefix(f"{flag}=")
    return found


def _show_all(ctx: Any, parameter: Any, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        ctx.meta[_ALL] = True
        typer.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()
