"""The ranges of a sweep, as people write them: `lr_g=log(1e-3,1e-1)`."""

import re
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any, Literal, cast

from ganvas.config import options
from ganvas.errors import GanvasError
from ganvas.registry import did_you_mean
from ganvas.runtime.names import printable
from ganvas.runtime.validation import Option

Value = str | float | int | bool
Kind = Literal["log", "uniform", "int", "choice"]
FORM = re.compile(r"\s*([\w-]+)\s*=\s*(log|uniform|int|choice)\s*\((.*)\)\s*", re.DOTALL)
# What all trials have in common: how long they are and what scores them.
FIXED = {"for", "images", "seed", "evaluate-every", "evaluate-count", "features", "from", "threads"}
MOST = 64  # values of a choice


class SweepError(GanvasError, ValueError):
    """A sweep that cannot be run as it was asked for; the message says what to change."""


@dataclass(frozen=True)
class Range:
    """The values that one setting may have in a sweep."""

    setting: str  # as the Python API names it, such as lr_g
    kind: Kind
    values: tuple[Value, ...]  # the ends, or what there is to choose from

    @classmethod
    def of(cls, text: str) -> "Range":
        """From `lr_g=log(1e-3,1e-1)`, `r1=uniform(0,10)`, `width=int(16,64)` or
        `augment=choice(shift,none)`; raises SweepError."""
        match = FORM.fullmatch(text)
        if match is None:
            raise SweepError(
                f"--param {printable(text)!r}: write SETTING=log(LOW,HIGH), uniform(LOW,HIGH), "
                "int(LOW,HIGH) or choice(VALUE,...)."
            )
        name, kind, inside = match[1].replace("_", "-"), match[2], match[3]
        option = _option(name)
        values = [value.strip() for value in inside.split(",")]
        chosen = cast(Kind, kind)  # one of those that FORM finds
        if kind == "choice":
            if not 2 <= len(set(values)) <= MOST:
                raise SweepError(f"--param {name}: choice() takes 2 to {MOST} different values.")
            return cls(name.replace("-", "_"), "choice", tuple(dict.fromkeys(values)))
        return cls(name.replace("-", "_"), chosen, _ends(name, kind, values, option))

    def suggested(self, trial: Any) -> Value:
        """The value that Optuna suggests for a trial."""
        if self.kind == "choice":
            chosen: Value = trial.suggest_categorical(self.setting, self.values)
            return chosen
        low, high = self.values
        if self.kind == "int":
            return int(trial.suggest_int(self.setting, low, high))
        return float(trial.suggest_float(self.setting, low, high, log=self.kind == "log"))

    def holds(self, value: object) -> bool:
        """Whether a value lies in it."""
        if self.kind == "choice":
            return str(value) in self.values
        low, high = self.values
        return isinstance(value, int | float) and float(low) <= value <= float(high)

    def __str__(self) -> str:
        return f"{self.setting}={self.kind}({','.join(map(str, self.values))})"


def _option(name: str) -> Option:
    known = options()
    allowed = [one for one in known if one not in FIXED]
    if name not in allowed:
        if name in FIXED:
            raise SweepError(f"--param {name}: all trials of a sweep have the same --{name}.")
        raise SweepError(f"--param: no setting is called {name!r}{did_you_mean(name, allowed)}")
    return known[name]


def _ends(name: str, kind: str, values: list[str], option: Option) -> tuple[float | int, ...]:
    number = int if kind == "int" else float
    try:
        low, high = (number(value) for value in values)
    except ValueError:
        what = "whole numbers" if kind == "int" else "numbers"
        raise SweepError(f"--param {name}: {kind}() takes two {what}, LOW and HIGH.") from None
    if not (isfinite(low) and isfinite(high)) or low >= high:
        raise SweepError(f"--param {name}: LOW must be below HIGH, and both finite.")
    if kind == "log" and low <= 0:
        raise SweepError(f"--param {name}: log() takes numbers above 0.")
    if kind != "int" and int in _types(option.type) and float not in _types(option.type):
        raise SweepError(f"--param {name}: its values are whole numbers; take int() or choice().")
    return low, high


def _types(kind: Any) -> set[Any]:
    inside = getattr(kind, "__args__", ())
    return {kind} | {one for part in inside for one in _types(part)}


def usual(planned: dict[str, Any], times: float = 8.0) -> list[Range]:
    """Ranges around what is planned, where nobody said any: learning rates.

    Not penalties: with weak ones a run learns as fast at first, wins its trial, and ends worse
    (benchmarks/NOTES.md, "What a hyperparameter search is worth").
    """
    found = []
    for name in ("lr_g", "lr_d", "lr"):
        value = planned.get(name)
        if isinstance(value, int | float) and 0 < value < inf:
            ends = (float(f"{value / times:.3g}"), float(f"{value * times:.3g}"))
            found.append(Range(name, "log", ends))
    return found
