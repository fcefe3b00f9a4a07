"""What trials of a search differ in: learning rates, their balance, penalties, and width.

The first is the run as it is planned. The others are spread over all that may differ so that each
part of every range has one of them (Latin hypercube sampling of McKay, Beckman and Conover, 1979),
and what was asked for by name stays as it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganvas.config.resolve import usual_r1
from ganvas.runs.build import Build

RATES, BALANCE, PENALTIES, WIDTHS = 4.0, 2.0, 10.0, 1.5  # most that a setting is changed by, times
GRAIN = 8  # widths are multiples of it: processors work on so many numbers at once
STREAM = 5
LOWER, UPPER = 0.25, 0.75  # between which a width stays as it is

Changes = dict[str, dict[str, Any]]  # by section


def trials(build: Build, count: int) -> list[Changes]:
    """So many sets of changes; the first has none. Fewer, one, where nothing may differ."""
    dimensions = [
        one
        for one in DIMENSIONS
        if _has(build, one) and not build.config.request.has(one.section, *one.names)
    ]
    if not dimensions:
        return [{}]
    random = np.random.default_rng((build.config.training.seed, STREAM))
    others = count - 1
    parts = np.stack([random.permutation(others) for _ in dimensions], 1)
    places = (parts + random.random(parts.shape)) / max(1, others)
    found: list[Changes] = [{}]
    for row in places:
        changes: Changes = {}
        for one, place in zip(dimensions, row, strict=True):
            one.vary(build, changes, float(place))
        found.append({section: of for section, of in changes.items() if of})
    return found


def in_words(changes: Mapping[str, Mapping[str, Any]]) -> str:
    """Changes in words."""
    said = [f"{name} {value:.2g}" if isinstance(value, float) else f"{name} {value}"
            for of in changes.values() for name, value in of.items()]  # fmt: skip
    return ", ".join(said) or "as planned"


def _has(build: Build, one: "Dimension") -> bool:
    return all(hasattr(getattr(build.config, one.section), name) for name in one.names)


def _factor(place: float, most: float) -> float:
    """From 1/most to most, evenly by proportion, as `place` goes from 0 to 1."""
    return float(most ** (2 * place - 1))


def _multiply(build: Build, changes: Changes, section: str, name: str, factor: float) -> None:
    """Multiply a setting, as it is changed so far."""
    of = changes.setdefault(section, {})
    of[name] = of.get(name, getattr(getattr(build.config, section), name)) * factor


def _rates(build: Build, changes: Changes, place: float) -> None:
    for name in ("lr_g", "lr_d"):
        _multiply(build, changes, "game", name, _factor(place, RATES))


def _balance(build: Build, changes: Changes, place: float) -> None:
    _multiply(build, changes, "game", "lr_d", _factor(place, BALANCE))


def _penalties(build: Build, changes: Changes, place: float) -> None:
    game: Any = build.config.game
    if game.r1 or game.r2:
        for name in ("r1", "r2"):
            _multiply(build, changes, "game", name, _factor(place, PENALTIES))
        return
    # Without any, half of the trials try one.
    if place > 0.5:
        usual = usual_r1(build.dataset.shape)
        changes.setdefault("game", {})["r1"] = usual * _factor(2 * place - 1, PENALTIES)


def _rate(build: Build, changes: Changes, place: float) -> None:
    _multiply(build, changes, "game", "lr", _factor(place, RATES))


def _width(build: Build, changes: Changes, place: float) -> None:
    width: int = build.config.network.width
    factor = 1 / WIDTHS if place < LOWER else WIDTHS if place > UPPER else 1.0
    other = max(1, round(width * factor / GRAIN)) * GRAIN
    if factor != 1 and other != width:
        changes.setdefault("network", {})["width"] = other


@dataclass(frozen=True)
class Dimension:
    """Settings that differ together: where one of them was asked for, none of them does."""

    section: str
    names: tuple[str, ...]
    vary: Callable[[Build, Changes, float], None]  # at a place of its range, in [0, 1]


DIMENSIONS = (
    Dimension("game", ("lr_g", "lr_d"), _rates),
    Dimension("game", ("lr_d", "lr_g"), _balance),
    Dimension("game", ("r1", "r2"), _penalties),
    Dimension("game", ("lr",), _rate),
    Dimension("network", ("width",), _width),
)
