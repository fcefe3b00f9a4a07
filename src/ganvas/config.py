"""One run described in one file, read and written; every option's name, help and default.

A run is nested settings: pictures (`data`), model (`network`), game and training. The command line,
run.yaml and later the studio's forms are all derived from these dataclasses, where each default is
written once.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ganvas.data import DataSettings
from ganvas.doctor import DoctorSettings
from ganvas.models import MODELS, ModelSettings
from ganvas.models.compact import CompactSettings
from ganvas.registry import choose, did_you_mean
from ganvas.runtime.atomic import write_text
from ganvas.runtime.names import printable
from ganvas.runtime.system import read_regular, reason
from ganvas.runtime.validation import NAMES, Option, SettingsError, built, options_of, quoted
from ganvas.training.callbacks.evaluation import EvaluationSettings
from ganvas.training.rules import AdversarialSettings
from ganvas.training.settings import TrainingSettings
from ganvas.training.vae import VariationalSettings

GameSettings = AdversarialSettings | VariationalSettings
Nested = dict[str, Any]

GAMES: dict[str, type[GameSettings]] = {
    "adversarial": AdversarialSettings,
    "variational": VariationalSettings,
}

# Networks that are not normalised over the batch (Karras et al., 2018 and 2020).
MODERN: Nested = {"beta1": 0.0, "beta2": 0.99, "penalty_every": 8}

# Of weights from N(0, 1), whatever their layer: an hour is short, and the papers' 0.001 to 0.003
# are for days.
EQUALISED: Nested = {**MODERN, "lr_g": 0.01, "lr_d": 0.01}

# What a model needs unless told otherwise, where that differs from the dataclass's own default.
RECIPES: dict[str, Nested] = {
    "fc": {  # the lesson's notebook, which has neither a penalty nor augmentation
        "game": {
            "lr_g": 2e-4,
            "lr_d": 2e-4,
            "weight_decay": 8e-9,
            "r1": 0.0,
            "augment": "none",
        },
        "network": {"width": 256},
        "training": {"batch": 256},
    },
    "dcgan": {},
    "compact": {
        "game": {
            **MODERN,
            "loss": "relativistic",
            "lr_g": 0.02,  # times the size of each weight: see the model's rates
            "lr_d": 0.02,
        }
    },
    # Of their papers' losses, progressive's Wasserstein with a gradient penalty and stylegan's bce
    # with R1 are far behind in minutes: benchmarks/NOTES.md, "The growing, the multi-scale".
    "progressive": {"game": {**EQUALISED, "loss": "relativistic"}},
    "msg": {"game": {**EQUALISED, "loss": "relativistic"}},
    "stylegan": {"game": {**EQUALISED, "loss": "relativistic", "path_length": 2.0}},
    "vae": {},
}

DEFAULT_MODEL = "compact"  # what each part of it is worth: benchmarks/NOTES.md
DEFAULT_BUDGET = 600.0  # seconds, where neither time nor pictures are said

# Parts of a run that its weights, its pictures or its random streams depend on.
UNCHANGEABLE = ("model", "data.", "network.", "training.seed", "training.start")

SECTIONS = ("data", "network", "game", "training", "doctor", "evaluation")
HEADER = "# A run of ganvas. It starts again with: ganvas train --config THIS_FILE --out FOLDER"
START, END = "---", "..."  # YAML's marks of a document: what has but the first was cut off
LAST = "keep_best"  # the last setting of training in every version
ALWAYS = ("source", "model", "data", "network", "game", "training")  # in every run.yaml


@dataclass(frozen=True)
class RunSettings:
    """Everything that decides what a run does."""

    source: str
    model: str = DEFAULT_MODEL
    data: DataSettings = field(default_factory=DataSettings)
    network: ModelSettings = field(default_factory=CompactSettings)
    game: GameSettings = field(default_factory=AdversarialSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    doctor: DoctorSettings = field(default_factory=DoctorSettings)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)


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
        return f"{self.path} {self.before} -> {self.after}"


def options() -> dict[str, Option]:
    """Every setting of every model and game, by its name on the command line, without dashes."""
    everyone = tuple(MODELS)
    sections = [
        ("data", DataSettings, everyone),
        *(("network", entry.settings, (name,)) for name, entry in MODELS.items()),
        *(("game", game, _players_of(name)) for name, game in GAMES.items()),
        ("training", TrainingSettings, everyone),
        ("doctor", DoctorSettings, _players_of("adversarial")),
        ("evaluation", EvaluationSettings, everyone),
    ]
    found: dict[str, Option] = {}
    for section, settings, users in sections:
        for option in options_of(section, settings, users):
            known = found.get(option.name, option)
            shared = dataclasses.replace(known, users=tuple(dict.fromkeys(known.users + users)))
            found[option.name] = shared
    return found


def _players_of(game: str) -> tuple[str, ...]:
    return tuple(name for name, entry in MODELS.items() if entry.game == game)


def nested(flat: Mapping[str, Any]) -> Nested:
    """Options by their flat names (`lr_g` or `lr-g`) as run.yaml nests them.

    Raises SettingsError for a name that no option has.
    """
    known = options()
    known |= {key: known[name] for key, name in NAMES.items()}
    result: Nested = {}
    for name, value in flat.items():
        dashed = name.replace("_", "-")
        if dashed == "model":
            result["model"] = value
        elif dashed in known:
            result.setdefault(known[dashed].section, {})[known[dashed].key] = value
        else:
            raise SettingsError(f"no option is called {name!r}{did_you_mean(dashed, known)}")
    return result


def overridden(given: Nested, assignments: list[str]) -> Nested:
    """`given` with assignments such as "network.width=48" applied."""
    for assignment in assignments:
        path, equals, value = assignment.partition("=")
        section, dot, key = path.partition(".")
        if not equals:
            raise SettingsError(f"-o takes section.name=value, not {assignment!r}.")
        try:
            parsed = yaml.safe_load(value)
        except yaml.YAMLError:
            raise SettingsError(f"-o {assignment}: {value!r} cannot be read as a value.") from None
        addition = {section: {key: parsed}} if dot else {section: parsed}
        given = merged(given, addition)
    return given


def merged(below: Nested, above: Nested) -> Nested:
    """Both, and `above` where they disagree."""
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = (
            merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
        )
    return result


def checked(given: Nested) -> Nested:
    """The same; raises SettingsError where a section of it holds no settings."""
    for name in SECTIONS:
        section(given, name)
    return given


def settled(given: Nested) -> RunSettings:
    """The complete settings that follow from what was given, in which None means unset.

    Raises SettingsError, or UnknownNameError for a model that does not exist.
    """
    sections = [field.name for field in dataclasses.fields(RunSettings)]
    if unknown := sorted(set(given) - set(sections)):
        raise SettingsError(
            f"no section is called {unknown[0]!r}{did_you_mean(unknown[0], sections)}"
        )
    if not given.get("source"):
        raise SettingsError("a run needs a source: a folder, a .zip, or a built-in name.")
    if not isinstance(given["source"], str | Path):
        raise SettingsError("source must be a folder, a .zip, or a built-in name.")
    name = given.get("model", DEFAULT_MODEL)
    if not isinstance(name, str):
        raise SettingsError(f"model must be the name of one, such as {DEFAULT_MODEL}.")
    entry = choose("model", MODELS, name)
    chosen = merged(RECIPES.get(name, {}), given)
    if not {"budget", "images"} & set(section(chosen, "training")):
        chosen = merged(chosen, {"training": {"budget": DEFAULT_BUDGET}})
    return RunSettings(
        source=str(chosen["source"]),
        model=name,
        data=_built(DataSettings, "data", chosen),
        network=_built(entry.settings, "network", chosen),
        game=_built(GAMES[entry.game], "game", chosen),
        training=_built(TrainingSettings, "training", chosen),
        doctor=_built(DoctorSettings, "doctor", chosen),
        evaluation=_built(EvaluationSettings, "evaluation", chosen),
    )


def data_settings(given: Nested) -> DataSettings:
    """The settings of the pictures alone; raises SettingsError."""
    settings: DataSettings = _built(DataSettings, "data", given)
    return settings


def _built(settings: Any, name: str, chosen: Nested) -> Any:
    return built(settings, name, section(chosen, name))


def section(chosen: Nested, name: str) -> Nested:
    """The settings of one section; raises SettingsError where it holds something else."""
    values = chosen.get(name) or {}
    if not isinstance(values, dict):
        raise SettingsError(f"{name} must hold settings, not {quoted(repr(values))}.")
    return values


def as_nested(settings: RunSettings) -> Nested:
    """The settings as plain values, as run.yaml holds them."""
    return dataclasses.asdict(settings)


def write(path: Path, settings: RunSettings) -> None:
    """Write run.yaml, all of it or nothing: read back, it gives the same settings.

    It stands between YAML's own marks of a document's start and end. Raises PlaceError.
    """
    content = as_nested(settings)
    write_text(
        path,
        f"{HEADER}\n"
        + yaml.safe_dump(content, sort_keys=False, explicit_start=True, explicit_end=True),
    )


def read(path: Path) -> Nested:
    """What a run.yaml says, as far as it goes; raises SettingsError when it cannot be read."""
    try:
        text = read_regular(path).decode("utf-8")
        content = yaml.safe_load(text)
    except OSError as fault:
        raise SettingsError(f"{path} cannot be read as settings: {reason(fault)}.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} cannot be read as settings: it is no text.") from None
    # PyYAML's constructors raise whatever Python does, RecursionError too.
    except Exception as fault:
        first = printable((str(fault) or type(fault).__name__).splitlines()[0])
        raise SettingsError(f"{path} cannot be read as settings: {first}.") from None
    if not isinstance(content, dict) or not content:
        raise SettingsError(f"{path} holds no settings.")
    if _is_cut(text):
        raise SettingsError(
            f"{path} is not complete: it ends too early, without its last line, {END}"
        )
    if not all(isinstance(key, str) for key in content):
        raise SettingsError(f"{path} holds no settings: its sections have no names.")
    return content


def read_whole(path: Path) -> Nested:
    """What the run.yaml of a run says, complete; raises SettingsError where a part is missing.

    Half a file, left by a full disk, would be read as a run with defaults for the rest. What older
    ganvas wrote has no marks: of it, what there always was must be there.
    """
    content = read(path)
    missing = [name for name in ALWAYS if not content.get(name)]
    if missing or LAST not in section(content, "training"):
        what = f"it has no {missing[0]}" if missing else "it ends too early"
        raise SettingsError(f"{path} is not complete: {what}.")
    return content


def _is_cut(text: str) -> bool:
    """Whether it is what `write` wrote, without its end; what people write need not have one."""
    lines = text.rstrip().splitlines()
    return lines[0] == HEADER and START in lines and lines[-1] != END


def differences(before: RunSettings, after: RunSettings) -> list[Difference]:
    """Every setting in which two runs differ."""
    old, new = _flattened(as_nested(before)), _flattened(as_nested(after))
    return [
        Difference(path, old.get(path), new.get(path))
        for path in {**old, **new}
        if old.get(path) != new.get(path)
    ]


def _flattened(content: Nested, prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            flat |= _flattened(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
