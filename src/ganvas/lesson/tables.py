"""Tables of the notebooks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Rows with the same columns; shown where it ends a cell."""

    rows: Sequence[Mapping[str, object]]

    def _repr_markdown_(self) -> str:
        heads = [*self.rows[0]]
        lines = [heads, ["---"] * len(heads), *([str(row[h]) for h in heads] for row in self.rows)]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def table(rows: Sequence[Mapping[str, object]]) -> Table:
    """Rows with the same columns, as a table."""
    return Table(rows)
