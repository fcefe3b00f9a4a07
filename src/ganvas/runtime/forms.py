"""Parse and validate what is read back from the disk; nothing unvalidated is trusted.

A form is a pydantic TypeAdapter. Callers turn FormError into a message that names the file and says
what to do.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from ganvas.runtime.names import printable

Content = TypeVar("Content")

DEEPEST = 32  # levels of nested objects and lists: ganvas's own files have eight
LARGEST = 1e300  # bound on numbers, so that sums of some hundred are finite
SHOWN = 120  # characters of a reason at most


class FormError(ValueError):
    """Content that does not match its form; the message says where and why, without the file."""


def _is_text(value: Any) -> Any:
    # Not pydantic's str, which rejects file names with undecodable bytes (PEP 383).
    if not isinstance(value, str):
        raise ValueError("it should be text")
    return value


def _is_moderate(value: float) -> float:
    if math.isfinite(value) and abs(value) > LARGEST:
        raise ValueError("it is too large a number")
    return value


Text = Annotated[Any, AfterValidator(_is_text)]
Whole = Annotated[int, Field(strict=True, ge=0)]  # seeds
Count = Annotated[int, Field(strict=True, ge=0, lt=2**53)]  # steps and images: exact as floats
Number = Annotated[float, Field(strict=True), AfterValidator(_is_moderate)]  # may be NaN or inf
Finite = Annotated[float, Field(strict=True, allow_inf_nan=False), AfterValidator(_is_moderate)]


def parse(data: bytes | str) -> Any:
    """Parse JSON; raises FormError if it is invalid or too deeply nested."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        raise FormError("it is not JSON") from None
    if _deeper(content, DEEPEST):
        raise FormError("it is nested too deeply")
    return content


def validate(form: TypeAdapter[Content], content: object) -> Content:
    """Validate the content against its form; raises FormError."""
    try:
        return form.validate_python(content)
    except ValidationError as fault:
        raise FormError(_reason(fault)) from None


def rebuild(form: TypeAdapter[Content], content: object) -> Content:
    """Dataclasses from the plain values that `asdict` made of them; raises FormError.

    Goes through JSON, where pydantic's strict mode accepts objects for dataclasses, but only
    numbers for numbers.
    """
    try:
        return form.validate_json(json.dumps(content), strict=True)
    except ValidationError as fault:
        raise FormError(_reason(fault)) from None


def _reason(fault: ValidationError) -> str:
    error = fault.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in error["loc"])
    message = re.sub("^Value error, ", "", error["msg"])
    reason = f"{place}: {message[:1].lower()}{message[1:]}" if place else message
    shown = printable(reason)
    return shown if len(shown) <= SHOWN else f"{shown[: SHOWN - 1]}…"


def _deeper(content: object, levels: int) -> bool:
    """Whether objects and lists are nested more than `levels` deep."""
    level = [content]
    for _ in range(levels + 1):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(content: object) -> list[object]:
    if isinstance(content, Mapping):
        return list(content.values())
    return content if isinstance(content, list) else []
