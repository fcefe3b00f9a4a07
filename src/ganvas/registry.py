"""Look a variant up by name; a wrong name is answered with the nearest one and the whole list."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

from ganvas.errors import GanvasError

T = TypeVar("T")


class UnknownNameError(GanvasError, ValueError):
    """A name that is in no table; the message says what exists."""


def choose(kind: str, table: Mapping[str, T], name: str) -> T:
    """The entry called `name`; raises UnknownNameError with suggestions when there is none."""
    if name in table:
        return table[name]
    raise UnknownNameError(f"no {kind} is called {name!r}{did_you_mean(name, table)}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of an error message: the nearest known name, then all of them."""
    names = list(known)
    near = get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ";"
    return f"{hint} There are: {', '.join(names)}."
