"""Every option of training, derived from the fields of the settings: name, help, type, default."""

import dataclasses
from collections.abc import Mapping
from typing import Any
from warnings import warn

from ganvas.config.doctor import DoctorSettings
from ganvas.config.evaluation import EvaluationSettings
from ganvas.config.request import Nested
from ganvas.config.resolve import GAMES
from ganvas.config.training import TrainingSettings
from ganvas.data import DataSettings
from ganvas.models import MODELS
from ganvas.registry import did_you_mean
from ganvas.runtime.validation import NAMES, Option, SettingsError, options_of

# Options that had other names; the old ones work for this version, with a notice.
OLD_OPTIONS = {"race": "trials", "exam-every": "probe-every"}


def options() -> dict[str, Option]:
    """Every setting of every model and trainer, by its name on the command line, without dashes."""
    everyone = tuple(MODELS)
    sections = [
        ("data", DataSettings, everyone),
        *(("network", spec.settings, (name,)) for name, spec in MODELS.items()),
        *(("game", game, _trained_by(name)) for name, game in GAMES.items()),
        ("training", TrainingSettings, everyone),
        ("doctor", DoctorSettings, _trained_by("adversarial")),
        ("evaluation", EvaluationSettings, everyone),
    ]
    found: dict[str, Option] = {}
    for section, settings, users in sections:
        for option in options_of(section, settings, users):
            known = found.get(option.name, option)
            shared = dataclasses.replace(known, users=tuple(dict.fromkeys(known.users + users)))
            found[option.name] = shared
    return found


def renaming(old: str) -> str:
    """What took the place of an old option, in a sentence."""
    return f"--{old} is called --{OLD_OPTIONS[old]} now, and works under its old name for a while."


def _trained_by(trainer: str) -> tuple[str, ...]:
    return tuple(name for name, spec in MODELS.items() if spec.trainer == trainer)


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
        else:
            raise SettingsError(f"no option is called {name!r}{did_you_mean(dashed, known)}")
    return result
