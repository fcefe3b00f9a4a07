"""Every option of training, derived from the fields of the settings: name, help, type, default."""

import dataclasses
from collections.abc import Mapping
from typing import Any
from warnings import warn

from ganvas.config.doctor import DoctorSettings
from ganvas.config.evaluation import EvaluationSettings
from ganvas.config.request import GONE, Nested
from ganvas.config.resolve import CHANNELS, COLOURED, GAMES
from ganvas.config.training import TrainingSettings
from ganvas.data import DataSettings
from ganvas.models import DEFAULT, MODELS, ModelSpec
from ganvas.registry import did_you_mean
from ganvas.runtime.validation import NAMES, Option, SettingsError, options_of

# Options that had other names; the old ones work for this version, with a notice.
OLD_OPTIONS = {"exam-every": "probe-every"}

# Headings of help and of the guide, in the order in which they are shown, each with its options.
# A setting that no heading names stands under the heading of its section.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "Data": (),
    "Length": ("for", "images", "samples", "save-every", "keep", "keep-best"),
    "Model": ("discriminator",),
    "Optimisation": ("batch", "accumulate", "ema", "from", "freeze", "seed"),
    "Regularisation": (
        "label-smoothing",
        "instance-noise",
        "r1",
        "r2",
        "gp",
        "path-length",
        "penalty-every",
        "penalty-end",
    ),
    "Augmentation": ("augment", "augment-share", "augment-target"),
    "Doctor": (),
    "Evaluation": (),
    "Hardware": ("memory", "precision", "device", "threads"),
}
HEADING_OF_SECTION = {
    "data": "Data",
    "network": "Model",
    "game": "Optimisation",
    "training": "Length",
    "doctor": "Doctor",
    "evaluation": "Evaluation",
}


def options_for(spec: ModelSpec) -> dict[str, Option]:
    """The options of one model, by name on the command line, without dashes."""
    sections: list[tuple[str, type]] = [
        ("data", DataSettings),
        ("network", spec.settings),
        ("game", GAMES[spec.trainer]),
        ("training", TrainingSettings),
        *([("doctor", DoctorSettings)] if spec.trainer == "adversarial" else []),
        ("evaluation", EvaluationSettings),
    ]
    return {
        option.name: option
        for section, settings in sections
        for option in options_of(section, settings, (spec.name,))
    }


def options() -> dict[str, Option]:
    """The options of all models; what several have is described as the default model has it."""
    found: dict[str, Option] = {}
    for name in dict.fromkeys((DEFAULT, *MODELS)):
        for option in options_for(MODELS[name]).values():
            known = found.get(option.name, option)
            users = tuple(one for one in MODELS if one in {*known.users, name})
            found[option.name] = dataclasses.replace(known, users=users)
    return found


def heading_of(option: Option) -> str:
    """The heading under which help and the guide show an option."""
    for heading, names in GROUPS.items():
        if option.name in names:
            return heading
    return HEADING_OF_SECTION[option.section]


def default_for(option: Option, spec: ModelSpec) -> str | None:
    """The default of an option for one model, in words where it depends on anything else.

    None if the option has no default.
    """
    recipe = spec.recipe.get(option.section, {})
    if len(planned := planned_values(option, spec)) > 1:
        ends = (planned[0], planned[-1])
        return f"{_in_words(ends[0])} {_between(planned)} {_in_words(ends[1])}, by time budget"
    if planned:
        return _in_words(planned[0])
    if option.key in recipe:
        return f"{_in_words(recipe[option.key])}{_exceptions(option)}"
    return default_in_words(option)


def default_in_words(option: Option) -> str | None:
    """The default of a setting as its field says it; None if it has none."""
    extra, default = option.info.json_schema_extra, option.info.default
    if isinstance(extra, dict) and "default" in extra:
        return str(extra["default"])
    return None if default is None or option.info.is_required() else _in_words(default)


def _exceptions(option: Option) -> str:
    """For which images a recipe's value is not the default, as the field of the setting says it."""
    extra = option.info.json_schema_extra
    return f", {extra['exceptions']}" if isinstance(extra, dict) and "exceptions" in extra else ""


def planned_values(option: Option, spec: ModelSpec) -> tuple[Any, ...]:
    """The values among which the plan chooses for this model, in rising order; () if it does not.

    Numbers in the recipe stay as they are (runs/plan.py), but for learning rates, which a row of
    the budget table may change together with the batch size.
    """
    recipe = spec.recipe.get(option.section, {}).get(option.key)
    both = spec.recipe.get("game", {}).get("discriminator", "own") != "own"
    rows = [row for c in CHANNELS for row in spec.budget_table(c, both and c in COLOURED)]
    if option.section == "game" and option.key in ("lr_g", "lr_d"):
        found = {row.lr or recipe for row in rows} - {None}
    elif recipe is not None:
        return ()
    elif option.path == "training.batch":
        found = {row.batch for row in rows}
    elif option.section == "network" and any(option.key in row.network for row in rows):
        found = {row.network.get(option.key, option.info.default) for row in rows}
    else:
        return ()
    return tuple(sorted(found))


def renaming(old: str) -> str:
    """What took the place of an old option, in a sentence."""
    return f"--{old} is called --{OLD_OPTIONS[old]} now, and works under its old name for a while."


def nest(flat: Mapping[str, Any]) -> Nested:
    """Options by their flat names (`lr_g` or `lr-g`) as run.yaml nests them.

    Raises SettingsError for a name that no option has.
    """
    known = options()
    known |= {key: known[name] for key, name in NAMES.items()}
    known |= {old: known[name] for old, name in OLD_OPTIONS.items()}
    result: Nested = {}
    for name, value in flat.items():
        dashed = name.replace("_", "-")
        if dashed == "model":
            result["model"] = value
        elif dashed in known:
            if dashed in OLD_OPTIONS:
                warn(renaming(dashed), DeprecationWarning, stacklevel=4)
            result.setdefault(known[dashed].section, {})[known[dashed].key] = value
        elif (path := f"training.{dashed}") in GONE:
            raise SettingsError(f"{name}: {GONE[path]}")
        else:
            raise SettingsError(f"no option is called {name!r}{did_you_mean(dashed, known)}")
    return result


def _between(values: tuple[Any, ...]) -> str:
    return "or" if len(values) == 2 else "to"


def _in_words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
