"""A search of short trials before a run: the answer to its sensitivity to hyperparameters."""

from ganvas.runs.search.search import Search, SearchError
from ganvas.runs.search.study import Study

__all__ = ["Search", "SearchError", "Study"]
