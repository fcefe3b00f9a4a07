"""Settings as frozen dataclasses with validated fields, and errors in them as one sentence.

A default is written once, in the dataclass; the command line and run.yaml are
derived from the fields.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from inspect import signature
from os import PathLike, fsencode, fspath
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar, get_type_hints

from pydantic import BeforeValidator, ConfigDict, TypeAdapter, ValidationError, validate_call
from pydantic.fields import FieldInfo

from ganvas.errors import GanvasError
from ganvas.registry import did_you_mean
from ganvas.runtime.names import printable

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

# Settings whose option is a keyword of Python.
NAMES = {"budget": "for", "start": "from"}

# For every settings dataclass: no unknown fields, and only finite numbers.
STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)

QUOTED = 60  # characters of a wrong value that a message repeats


class SettingsError(GanvasError, ValueError):
    """A setting that does not exist or cannot have this value; the message names it."""


class ArgumentError(GanvasError, TypeError, ValueError):
    """An argument of the Python API that cannot have this value; the message names it."""


@dataclass(frozen=True)
class Option:
    """One setting as users write it: `name` on the command line, `path` in run.yaml."""

    name: str
    section: str
    key: str
    info: FieldInfo
    type: Any
    users: tuple[str, ...]  # the models that have it, if not all do

    @property
    def path(self) -> str:
        """Its key in run.yaml, with the section."""
        return f"{self.section}.{self.key}"


def options_of(section: str, settings: type, users: tuple[str, ...] = ()) -> Iterator[Option]:
    """The fields of a settings dataclass as options."""
    hints = get_type_hints(settings, include_extras=True)
    for key, info in settings.__pydantic_fields__.items():  # type: ignore[attr-defined]  # pydantic
        name = NAMES.get(key, key.replace("_", "-"))
        yield Option(name, section, key, info, hints[key], users)


def build_settings(settings: Any, section: str, values: Mapping[str, Any]) -> Any:
    """Build settings from these values; raises SettingsError."""
    try:
        return TypeAdapter(settings).validate_python(dict(values))
    except ValidationError as fault:
        raise SettingsError(_one_sentence(fault, settings, section)) from None


def arguments(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Make a public function check its arguments against their annotations when it is called.

    It raises ArgumentError, which names the argument.
    """
    checked = validate_call(config=ConfigDict(arbitrary_types_allowed=True))(function)

    @wraps(function)
    def called(*given: Parameters.args, **named: Parameters.kwargs) -> Result:
        try:
            return checked(*given, **named)
        except ValidationError as fault:
            # Only errors of this call, not of calls inside it.
            if fault.title not in (function.__name__, function.__qualname__):
                raise
            error = fault.errors()[0]
            place = error["loc"][0] if error["loc"] else ""
            name = [*signature(function).parameters][place] if isinstance(place, int) else place
            raise ArgumentError(
                f"{function.__name__}: {name}={quote(repr(error['input']))}: {_message(error)}."
            ) from None

    return called


def check_whole(where: str, least: int, **numbers: object) -> None:
    """Raise ArgumentError if an argument, given by name, is no integer of at least `least`.

    For functions that pydantic cannot wrap, such as constructors of another library's classes.
    """
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ArgumentError(
                f"{where}: {name}={quote(repr(value))}: it takes whole numbers from {least} on."
            )


def _is_place(path: object) -> str | Path:
    if not isinstance(path, str | PathLike):
        raise ValueError("it should be the path of a file or folder")
    written = fspath(path)
    if not isinstance(written, str) or not written or "\0" in written or not _can_be(written):
        raise ValueError("it is not a valid path")
    return path if isinstance(path, str) else Path(path)


def _can_be(written: str) -> bool:
    try:
        fsencode(written)
    except UnicodeEncodeError:  # half of a character
        return False
    return True


def is_place(argument: str, path: str | Path) -> bool:
    """True if this can be the path of a file or folder; else raises ArgumentError naming it."""
    try:
        _is_place(path)
    except ValueError as fault:
        raise ArgumentError(f"{argument}={quote(repr(path))}: {fault}.") from None
    return True


Place = Annotated[str | Path, BeforeValidator(_is_place)]
"""A file or folder in the Python API."""


def _one_sentence(fault: ValidationError, settings: Any, section: str) -> str:
    error = fault.errors()[0]
    key = str(error["loc"][0]) if error["loc"] else ""
    if error["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        known = list(settings.__pydantic_fields__)
        return f"{section} has no setting called {quote(repr(key))}{did_you_mean(key, known)}"
    option = next((o for o in options_of(section, settings) if o.key == key), None)
    if option is None:
        return f"{_message(error)}."
    return f"--{option.name} {quote(str(error['input']))}: {_message(error)}."


def _message(error: Mapping[str, Any]) -> str:
    message = str(error["msg"]).removeprefix("Value error, ").removesuffix(".")
    wrong = repr(error["input"])  # validators may have included it in full
    message = printable(message.replace(wrong, quote(wrong)))
    return f"{message[:1].lower()}{message[1:]}"


def quote(value: str) -> str:
    """A wrong value for a message: on one line, and shortened."""
    shown = printable(value)
    return shown if len(shown) <= QUOTED else f"{shown[:QUOTED]}…"
