"""A race of short candidates before a run: the answer to its sensitivity to hyperparameters."""

from ganvas.runs.search.search import Race, RaceError
from ganvas.runs.search.study import Study

__all__ = ["Race", "RaceError", "Study"]
