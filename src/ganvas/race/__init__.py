"""A race of short candidates before a run: the answer to its sensitivity to hyperparameters."""

from ganvas.race.book import Book
from ganvas.race.race import Race, RaceError

__all__ = ["Book", "Race", "RaceError"]
