"""Training: one loop, and one game for each way of learning."""

from collections.abc import Callable
from typing import Any

from ganvas.runtime.device import UnavailableDeviceError, choose_device
from ganvas.runtime.precision import Precision, choose_precision
from ganvas.training.adversarial import AdversarialGame
from ganvas.training.loop import DivergedError, Game, Goal, Watcher, train
from ganvas.training.state import TrainingState
from ganvas.training.vae import VariationalGame

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
    "Watcher",
    "choose_device",
    "choose_precision",
    "train",
]
