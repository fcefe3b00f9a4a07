"""Everything that decides what a run does, complete, and where each value comes from."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ganvas.config.adversarial import AdversarialSettings
from ganvas.config.doctor import DoctorSettings
from ganvas.config.evaluation import EvaluationSettings
from ganvas.config.origin import Origin
from ganvas.config.request import SECTIONS, Nested, Request, Sections
from ganvas.config.training import TrainingSettings
from ganvas.config.variational import VariationalSettings
from ganvas.data import DataSettings
from ganvas.models import ModelSettings, ModelSpec, spec_of

GameSettings = AdversarialSettings | VariationalSettings

# Parts of a run that its weights, its images or its random streams depend on.
UNCHANGEABLE = (
    "model", "data.", "network.", "game.discriminator", "training.seed", "training.start",
)  # fmt: skip


@dataclass(frozen=True)
class Config:
    """A run's settings, none of which is still to be decided."""

    source: str
    model: str
    data: DataSettings
    network: ModelSettings
    game: GameSettings
    training: TrainingSettings
    doctor: DoctorSettings
    evaluation: EvaluationSettings
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False)
    """By path, such as "game.lr_d"."""

    @property
    def spec(self) -> ModelSpec:
        """Of its model."""
        return spec_of(self.model)

    @property
    def taught(self) -> bool:
        """Whether the generator learns through a pretrained network."""
        game = self.game
        return isinstance(game, AdversarialSettings) and game.discriminator != "own"

    def origin(self, section: str, name: str) -> Origin:
        """Where the value of a setting comes from."""
        return self.origins.get(f"{section}.{name}", Origin.DEFAULT)

    @property
    def model_origin(self) -> Origin:
        """Where the name of the model comes from."""
        return self.origins.get("model", Origin.DEFAULT)

    def chosen_by(self, *origins: Origin) -> Sections:
        """The settings with these origins, by section."""
        found: dict[str, dict[str, Any]] = {}
        for section in SECTIONS:
            for name, value in dataclasses.asdict(getattr(self, section)).items():
                if self.origin(section, name) in origins and value is not None:
                    found.setdefault(section, {})[name] = value
        return found

    @property
    def request(self) -> Request:
        """What somebody said, from which this follows."""
        kept = Origin.START if Origin.START in self.origins.values() else Origin.RESUME
        said = self.chosen_by(Origin.USER)
        model = None if self.model_origin is Origin.DEFAULT else self.model
        return Request(self.source, model, said, self.chosen_by(kept), kept)

    def with_values(self, changes: Sections, origin: Origin) -> "Config":
        """The same with other values, which have this origin."""
        origins = dict(self.origins)
        sections = {}
        for section, values in changes.items():
            # Which settings have which names no type can say: tests try every model.
            sections[section] = dataclasses.replace(getattr(self, section), **values)
            origins |= {f"{section}.{name}": origin for name in values}
        return dataclasses.replace(self, origins=origins, **sections)

    def as_nested(self) -> Nested:
        """The settings as plain values, as run.yaml holds them."""
        content = dataclasses.asdict(self)
        del content["origins"]
        return content


@dataclass(frozen=True)
class Difference:
    """A setting that is not what it was."""

    path: str
    before: object
    after: object

    @property
    def allowed(self) -> bool:
        """Whether a run that has begun may go on with it."""
        return not self.path.startswith(UNCHANGEABLE)

    def __str__(self) -> str:
        before, after = (
            f"{value:g}" if isinstance(value, float) else value
            for value in (self.before, self.after)
        )
        return f"{self.path} {before} -> {after}"


def differences(before: Config, after: Config) -> list[Difference]:
    """Every setting in which two runs differ."""
    old, new = _flatten(before.as_nested()), _flatten(after.as_nested())
    return [
        Difference(path, old.get(path), new.get(path))
        for path in {**old, **new}
        if old.get(path) != new.get(path)
    ]


def _flatten(content: Nested, prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
