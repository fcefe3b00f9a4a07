"""Settings as frozen dataclasses with validated fields, and mistakes in them as one sentence.

A default is written once, beside what it configures; the command line, run.yaml and later the
studio's forms are derived from the fields.
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

# Settings whose option is a word that Python keeps for itself.
NAMES = {"budget": "for", "start": "from"}

# Of every settings dataclass: nothing unknown, and every number a number.
STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)

QUOTED = 60  # characters of a wrong value that a message repeats


class SettingsError(GanvasError, ValueError):
    """A setting that does not exist or cannot have this value; the message names it."""


class ArgumentError(GanvasError, TypeError, ValueError):
    """An argument of the Python API that cannot have this value; the message names it."""


@dataclass(frozen=True)
class Option:
    """One setting as people type it: `name` on the command line, `path` in run.yaml."""

    name: str
    section: str
    key: str
    info: FieldInfo
    type: Any
    users: tuple[str, ...]  # the models that have it, if not all do

    @property
    def path(self) -> str:
        """Where it stands in run.yaml."""
        return f"{self.section}.{self.key}"


def options_of(section: str, settings: type, users: tuple[str, ...] = ()) -> Iterator[Option]:
    """The fields of a settings dataclass as options."""
    hints = get_type_hints(settings, include_extras=True)
    for key, info in settings.__pydantic_fields__.items():  # type: ignore[attr-defined]  # pydantic
        name = NAMES.get(key, key.replace("_", "-"))
        yield Option(name, section, key, info, hints[key], users)


def build_settings(settings: Any, section: str, values: Mapping[str, Any]) -> Any:
    """Settings of these values; raises SettingsError."""
    try:
        return TypeAdapter(settings).validate_python(dict(values))
    except ValidationError as fault:
        raise SettingsError(_one_sentence(fault, settings, section)) from None


def arguments(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """A public function whose arguments are checked, by their annotations, when it is called.

    It raises ArgumentError, which names the argument.
    """
    checked = validate_call(config=ConfigDict(arbitrary_types_allowed=True))(function)

    @wraps(function)
    def called(*given: Parameters.args, **named: Parameters.kwargs) -> Result:
        try:
            return checked(*given, **named)
        except ValidationError as fault:
            # Of this call, and not of something inside it.
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
    """Raises ArgumentError where an argument, given by name, is no whole number from `least` on.

    For what pydantic cannot wrap, as the constructors of another library's classes.
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
        raise ValueError("no file or folder can be called so")
    return path if isinstance(path, str) else Path(path)


def _can_be(written: str) -> bool:
    try:
        fsencode(written)
    except UnicodeEncodeError:  # half of a character
        return False
    return True


def is_place(argument: str, path: str | Path) -> bool:
    """True for what can be the path of a file or folder; raises ArgumentError, which names it."""
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
    wrong = repr(error["input"])  # which a validator may have repeated
    message = printable(message.replace(wrong, quote(wrong)))
    return f"{message[:1].lower()}{message[1:]}"


def quote(value: str) -> str:
    """A wrong value as a message repeats it: on one line, and not all of a long one."""
    shown = printable(value)
    return shown if len(shown) <= QUOTED else f"{shown[:QUOTED]}…"
