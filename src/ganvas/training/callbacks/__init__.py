"""Callbacks, called after every step: log, samples, checkpoints, evaluation."""
