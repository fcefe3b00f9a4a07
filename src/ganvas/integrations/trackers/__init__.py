"""Experiment trackers: what a run reports, in TensorBoard, MLflow or Weights & Biases.

A tracker is told what the run's own files say: it reads the metrics log, as `ganvas.runs.follow`
does, and the sample grids. A tracker that fails is left out; training goes on.
"""

from ganvas.integrations.trackers.tracked import TrackerError, tracked
from ganvas.integrations.trackers.tracker import TRACKERS, Tracker

__all__ = ["TRACKERS", "Tracker", "TrackerError", "tracked"]
