"""Hyperparameter sweeps on Optuna: trials are ordinary runs, which are pruned by their KID."""

from ganvas.sweep.definition import Definition
from ganvas.sweep.space import SweepError
from ganvas.sweep.sweep import Standing, sweep

__all__ = ["Definition", "Standing", "SweepError", "sweep"]
