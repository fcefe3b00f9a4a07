"""Validation of a pipeline's arguments: what is invalid raises ArgumentError with its name."""

import math
import operator
from collections.abc import Iterable
from typing import Any

from torch import Tensor, strided

from ganvas.runtime.memory import available
from ganvas.runtime.validation import ArgumentError, quote

MOST_TRUNCATION = 2.0  # beyond it, styles are too far from those of any latent


def whole_number(name: str, value: Any, least: int) -> int:
    """An int, or an equivalent such as numpy's; raises ArgumentError."""
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise _wrong(name, value, "a whole number") from None
    if number < least:
        raise _wrong(name, value, f"a whole number from {least} on")
    return number


def seeds(given: Any) -> list[int]:
    """At least one seed; raises ArgumentError."""
    if isinstance(given, str | bytes | dict) or not isinstance(given, Iterable):
        raise _wrong("seeds", given, "a list of whole numbers, such as [1, 2, 3]")
    try:
        found = list(given)
    except (TypeError, RuntimeError):  # a zero-dimensional tensor or array, or a sparse one
        raise _wrong("seeds", given, "a list of whole numbers, such as [1, 2, 3]") from None
    if not found:
        raise _wrong("seeds", given, "a list with at least one")
    return [whole_number("seeds", seed, 0) for seed in found]


def count(given: Any, bytes_each: int) -> int:
    """A number of images of `bytes_each`; raises ArgumentError, also if memory is too small."""
    number = whole_number("count", given, 1)
    if number * bytes_each > available():
        room = available() // bytes_each
        raise _wrong("count", given, f"at most {room:,} here, which fit into memory")
    return number


def truncation(given: Any) -> float:
    """A number in [0, 2]; raises ArgumentError."""
    between = f"a number from 0 to {MOST_TRUNCATION:g}"
    try:
        if isinstance(given, bool | str | bytes):
            raise TypeError
        number = float(given)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # the last for a larger tensor
        raise _wrong("truncation", given, between) from None
    if not math.isfinite(number) or not 0 <= number <= MOST_TRUNCATION:
        raise _wrong("truncation", given, between)
    return number


def label(given: Any) -> str | None:
    """The name of a class, or None; raises ArgumentError."""
    if given is not None and not isinstance(given, str):
        raise _wrong("label", given, "the name of a class")
    return given


def rows(name: str, given: Any, shape: tuple[int, ...]) -> Tensor:
    """A tensor with at least one row of this shape; raises ArgumentError."""
    sides = ", ".join(("N", *map(str, shape)))
    if not isinstance(given, Tensor):
        raise _wrong(name, type(given).__name__, f"a tensor ({sides})")
    dense = given.layout == strided and given.is_floating_point()
    if given.shape[1:] != shape or not len(given) or not dense:
        raise _wrong(
            name, f"{given.dtype} {tuple(given.shape)}", f"a tensor ({sides}) of real numbers"
        )
    return given


def _wrong(name: str, value: object, wanted: str) -> ArgumentError:
    shown = value if isinstance(value, str) and name in ("latents", "styles") else _format(value)
    return ArgumentError(f"{name} must be {wanted}, not {shown}.")


def _format(value: object) -> str:
    try:
        return quote(repr(value))
    except ValueError:  # an int with more digits than Python converts to text
        return "that"
