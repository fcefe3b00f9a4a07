"""What somebody asked for, and nothing else: flags, a run.yaml, arguments of the Python API."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from ganvas.config.origin import Origin
from ganvas.registry import did_you_mean
from ganvas.runtime.validation import SettingsError, quote

Nested = dict[str, Any]
Sections = Mapping[str, Mapping[str, Any]]

# What settings were called in November 2026, by their path; every old run.yaml is read.
RENAMED = {"doctor.exam_every": "probe_every"}
# What took the place of settings, by their path.
SWEEP = "a search for hyperparameters is a command of its own now: ganvas sweep SOURCE --trials N."
GONE = {"training.trials": SWEEP, "training.race": SWEEP}

SECTIONS = ("data", "network", "game", "training", "doctor", "evaluation")


@dataclass(frozen=True)
class Request:
    """What was said, by section; what was not said is not there.

    `stored` is what a run that goes on, or a model that is fine-tuned, was made of; `values` come
    before it.
    """

    source: str | None = None
    model: str | None = None
    values: Sections = field(default_factory=dict)
    stored: Sections = field(default_factory=dict)
    stored_origin: Origin = Origin.RESUME
    stored_origins: Mapping[str, Origin] = field(default_factory=dict)
    """By path, where it is known what the stored values came from."""

    @classmethod
    def of(cls, content: Nested) -> "Request":
        """From nested settings as in run.yaml, in which None means that nothing was said.

        Raises SettingsError for a section that does not exist or holds no settings.
        """
        known = ("source", "model", *SECTIONS)
        if unknown := sorted(set(content) - set(known)):
            raise SettingsError(
                f"no section is called {unknown[0]!r}{did_you_mean(unknown[0], known)}"
            )
        source, model = content.get("source"), content.get("model")
        if source is not None and not isinstance(source, str | Path):
            raise SettingsError("source must be a folder, a .zip, or a built-in name.")
        if model is not None and not isinstance(model, str):
            raise SettingsError(f"model must be a model name, not {quote(repr(model))}.")
        return cls(str(source) if source else None, model, _sections_of(content))

    def has(self, section: str, *names: str) -> bool:
        """Whether one of these settings was said."""
        return bool(self.values.get(section, {}).keys() & set(names))

    def following(
        self, stored: "Request", origins: Mapping[str, Origin] = MappingProxyType({})
    ) -> "Request":
        """This request of a run that was described so when it was saved.

        "auto" agrees with whatever was chosen then.
        """
        kept = {
            section: {name: value for name, value in values.items() if value != "auto"}
            for section, values in self.values.items()
        }
        return Request(
            self.source or stored.source,
            stored.model if self.model is None else self.model,
            kept,
            stored.values,
            stored_origin=Origin.DEFAULT if origins else Origin.RESUME,
            stored_origins=origins,
        )

    def without_stored(self, section: str, name: str) -> "Request":
        """The same, with one setting to be decided again."""
        values = {key: value for key, value in self.stored.get(section, {}).items() if key != name}
        return replace(self, stored={**self.stored, section: values})


def _sections_of(content: Nested) -> Sections:
    sections = {name: section(content, name) for name in SECTIONS}
    for name, values in sections.items():
        if strange := [key for key in values if not isinstance(key, str)]:
            raise SettingsError(f"{name} has no setting called {quote(repr(strange[0]))}.")
    for name, values in sections.items():
        for key, value in values.items():
            if value is not None and (instead := GONE.get(f"{name}.{key}")):
                raise SettingsError(f"{name}.{key}: {instead}")
    said = {
        name: {
            RENAMED.get(f"{name}.{key}", key): value
            for key, value in values.items()
            if value is not None
        }
        for name, values in sections.items()
    }
    return {name: values for name, values in said.items() if values}


def section(content: Nested, name: str) -> Nested:
    """The settings of one section; raises SettingsError where it holds something else."""
    values = content.get(name) or {}
    if not isinstance(values, dict):
        raise SettingsError(f"{name} must hold settings, not {quote(repr(values))}.")
    return values


def merge(below: Nested, above: Nested) -> Nested:
    """Nested settings of both, and of `above` where they disagree."""
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = (
            merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
        )
    return result


def with_overrides(given: Nested, assignments: list[str]) -> Nested:
    """`given` with assignments such as "network.width=48" applied; may raise SettingsError."""
    for assignment in assignments:
        path, equals, value = assignment.partition("=")
        name, dot, key = path.partition(".")
        if not equals:
            raise SettingsError(f"-o takes section.name=value, not {assignment!r}.")
        try:
            parsed = yaml.safe_load(value)
        except yaml.YAMLError:
            raise SettingsError(f"-o {assignment}: {value!r} cannot be read as a value.") from None
        given = merge(given, {name: {key: parsed}} if dot else {name: parsed})
    return given
