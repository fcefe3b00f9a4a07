"""Training: one loop, and one game for each way of learning. To add a way: write its file and line."""

from collections.abc import Callable
from typing import Any

from .adversarial import AdversarialGame
from .loop import DivergedError, Game, Goal, train
from .precision import Precision, UnavailableDeviceError, choose_device, choose_precision
from .state import TrainingState
from .variational import VariationalGame

GAMES: dict[str, Callable[[Any, Precision], Game]] = {
    "adversarial": AdversarialGame,
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
