"""The settings of training as a form: what can be set, its default, and where that comes from."""

from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BeforeValidator

from ganvas.config.options import GROUPS, default_for, heading_of, options_for
from ganvas.models import MODELS, spec_of
from ganvas.runtime.validation import Option

FIRST = ("for", "size", "channels")  # shown at once; the others are folded
# Not typed on a page: what may name a file of this machine, and what belongs to it.
LEFT_OUT = ("from", "freeze", "features")


def fields(model: str) -> list[dict[str, Any]]:
    """Every setting of a model for a form, heading by heading; raises UnknownNameError."""
    spec = spec_of(model)
    found = [option for option in options_for(spec).values() if option.name not in LEFT_OUT]
    return [
        {
            "name": option.name,
            "heading": heading_of(option),
            "description": _plain(option.info.description or ""),
            "default": _plain(default_for(option, spec)),
            "first": option.name in FIRST,
            **_input(option),
        }
        for option in sorted(found, key=_place)
    ]


def _place(option: Option) -> tuple[int, int]:
    """Where it stands: the first ones in their own order, then heading by heading."""
    at = FIRST.index(option.name) if option.name in FIRST else len(FIRST)
    return at, [*GROUPS].index(heading_of(option))


def models() -> list[dict[str, str]]:
    """The catalogue: name and summary."""
    return [{"name": name, "summary": spec.summary} for name, spec in MODELS.items()]


def _plain(words: str | None) -> str | None:
    """Words about options as a form has them: by their names alone."""
    return None if words is None else words.replace("--", "")


def _input(option: Option) -> dict[str, Any]:
    """The kind of input that takes it: choice, yes or no, number, or text such as 10m."""
    kind, parsed = option.type, False
    while True:
        if get_origin(kind) is Annotated:
            kind, *extras = get_args(kind)
            parsed = parsed or any(isinstance(extra, BeforeValidator) for extra in extras)
        elif get_origin(kind) in (Union, UnionType):
            kind = next(part for part in get_args(kind) if part is not type(None))
        else:
            break
    if get_origin(kind) is Literal:
        return {"kind": "choice", "choices": list(get_args(kind))}
    if kind is bool:
        return {"kind": "yes-no"}
    return {"kind": "number" if kind in (int, float) and not parsed else "text"}
