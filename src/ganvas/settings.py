"""Settings as frozen dataclasses with validated fields, and mistakes in them as one sentence.

A default is written once, beside what it configures; the command line, run.yaml and later the
studio's forms are derived from the fields.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from ganvas.errors import GanvasError
from ganvas.registry import did_you_mean

# Settings whose option is a word that Python keeps for itself.
NAMES = {"budget": "for", "start": "from"}


class SettingsError(GanvasError, ValueError):
    """A setting that does not exist or cannot have this value; the message names it."""


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


def built(settings: Any, section: str, values: Mapping[str, Any]) -> Any:
    """Settings of these values; raises SettingsError."""
    try:
        return TypeAdapter(settings).validate_python(dict(values))
    except ValidationError as fault:
        raise SettingsError(_one_sentence(fault, settings, section)) from None


def _one_sentence(fault: ValidationError, settings: Any, section: str) -> str:
    error = fault.errors()[0]
    key = str(error["loc"][0]) if error["loc"] else ""
    if error["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        known = list(settings.__pydantic_fields__)
        return f"{section} has no setting called {key!r}{did_you_mean(key, known)}"
    message = error["msg"].removeprefix("Value error, ").removesuffix(".")
    if not key:
        return f"{message}."
    name = next(o.name for o in options_of(section, settings) if o.key == key)
    return f"--{name} {error['input']}: {message[0].lower()}{message[1:]}."
