"""Look a variant up by name; a wrong name is answered with the nearest ones."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

from ganvas.errors import GanvasError

T = TypeVar("T")
LONG = 60  # characters of a wrong name that a message repeats
LISTED = 14  # names that a message lists: of more, those most like the one that was given


class UnknownNameError(GanvasError, ValueError):
    """A name that is in no table; the message says what exists."""


def choose(kind: str, table: Mapping[str, T], name: str) -> T:
    """The entry called `name`; raises UnknownNameError with suggestions when there is none."""
    if name in table:
        return table[name]
    shown = repr(name if len(name) <= LONG else f"{name[:LONG]}…")
    raise UnknownNameError(f"no {kind} is called {shown}{did_you_mean(name[:LONG], table)}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of an error message: the nearest known name, then all of them."""
    names = list(known)
    near = get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    if len(names) <= LISTED:
        return f"{hint} There are: {', '.join(names)}."
    like = get_close_matches(name, names, n=LISTED, cutoff=0)
    return f"{hint} Of {len(names)}, the nearest are: {', '.join(like)}."
