"""Training: one loop, and one game for each way of learning."""

from collections.abc import Callable
from typing import Any

from ganvas.training.adversarial import AdversarialGame
from ganvas.training.loop import DivergedError, Game, Goal, train
from ganvas.training.one_stage import OneStageGame
from ganvas.training.precision import (
    Precision,
    UnavailableDeviceError,
    choose_device,
    choose_precision,
)
from ganvas.training.rules import AdversarialSettings
from ganvas.training.state import TrainingState
from ganvas.training.variational import VariationalGame


def adversarial_game(settings: AdversarialSettings, precision: Precision) -> AdversarialGame:
    """The game with one move after the other, or with both at once."""
    return (OneStageGame if settings.one_stage else AdversarialGame)(settings, precision)


GAMES: dict[str, Callable[[Any, Precision], Game]] = {
    "adversarial": adversarial_game,
    "variational": VariationalGame,
}

__all__ = [
    "GAMES",
    "DivergedError",
    "Game",
    "Goal",
    "Precision",
    "TrainingState",
    "UnavailableDeviceError",
    "choose_device",
    "choose_precision",
    "train",
]
