"""What the lesson's notebooks share: figures, tables, and questions whose answers are checked."""

from ganvas.lesson.check import Feedback, check
from ganvas.lesson.diagrams import Diagram, diagram
from ganvas.lesson.figures import files, pixels, plot, row, scatter, show
from ganvas.lesson.films import Film, film
from ganvas.lesson.questions import language
from ganvas.lesson.tables import Table, table

__all__ = [
    "Diagram",
    "Feedback",
    "Film",
    "Table",
    "check",
    "diagram",
    "files",
    "film",
    "language",
    "pixels",
    "plot",
    "row",
    "scatter",
    "show",
    "table",
]
