"""Training: one loop, and one trainer for each kind of model."""

from collections.abc import Callable
from typing import Any

from ganvas.runtime.device import UnavailableDeviceError, choose_device
from ganvas.runtime.precision import Precision, choose_precision
from ganvas.training.adversarial import AdversarialTrainer
from ganvas.training.loop import (
    Callback,
    DivergedError,
    Goal,
    StepControl,
    Trainer,
    Uncontrolled,
    follow,
    train,
)
from ganvas.training.state import TrainingState
from ganvas.training.vae import VariationalTrainer

TRAINERS: dict[str, Callable[[Any, Precision], Trainer]] = {
    "adversarial": AdversarialTrainer,
    "variational": VariationalTrainer,
}

__all__ = [
    "TRAINERS",
    "Callback",
    "DivergedError",
    "Goal",
    "Precision",
    "StepControl",
    "Trainer",
    "TrainingState",
    "UnavailableDeviceError",
    "Uncontrolled",
    "choose_device",
    "choose_precision",
    "follow",
    "train",
]
