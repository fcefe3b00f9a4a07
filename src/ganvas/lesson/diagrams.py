"""Diagrams of the lesson: SVG in the text's own colour, on light pages and on dark ones."""

from dataclasses import dataclass
from pathlib import Path

from ganvas.registry import choose

DIAGRAMS = {path.stem: path for path in sorted(Path(__file__).parent.glob("diagrams/*.svg"))}


@dataclass(frozen=True)
class Diagram:
    """Shown where it ends a cell."""

    name: str
    svg: str

    def _repr_html_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"the diagram of {self.name}"


def diagram(name: str) -> Diagram:
    """The diagram of this name; raises UnknownNameError when there is none."""
    return Diagram(name, choose("diagram", DIAGRAMS, name).read_text("utf-8"))
