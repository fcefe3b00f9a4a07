"""Stored results: the newest tables of each benchmark, variant and processor, a JSON file each."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

BENCHMARKS = Path(__file__).parent
TABLES = "results/tables"  # below the folder of the benchmarks
_NUMBER = r"-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[+-]\d+)?"
# A figure as benchmarks write it: bold, with a unit, a ratio, and the values that it summarises.
_FIGURE = re.compile(rf"\**({_NUMBER})(?: ?(?:x|%|s|ms|MB|GB))?\**(?: {_NUMBER}x)?(?: \([^)]*\))?")
StoredCell: TypeAlias = int | float | str | dict[str, Any]


@dataclass(frozen=True)
class Table:
    """A table as it is shown; the caption tells several tables of one result apart."""

    columns: list[str]
    rows: list[list[str]]
    caption: str = ""

    def markdown(self) -> str:
        """The table in markdown, under its caption."""
        lines = [self.columns, ["---"] * len(self.columns), *self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"{self.caption}\n\n{table}" if self.caption else table


@dataclass(frozen=True)
class StoredResult:
    """What one run of a benchmark found, and where, when and how it was measured."""

    benchmark: str
    variant: str  # empty where a benchmark has one only
    title: str
    command: str
    date: str
    processor: str
    torch: str
    commit: str
    tables: list[Table]
    wanted: str = ""
    notes: str = ""

    def facts(self) -> str:
        """Processor, version of torch, date, commit and command, in one line."""
        return (
            f"**{self.processor}** · torch {self.torch} · {self.date} · commit {self.commit} · "
            f"`{self.command}`"
        )

    def body(self) -> str:
        """What is wanted, the notes and the tables, in markdown."""
        said = [f"Wanted: {self.wanted}" if self.wanted else "", self.notes]
        return "\n\n".join([*filter(None, said), *(table.markdown() for table in self.tables)])

    def path(self, place: Path) -> Path:
        """Its file below `place`, the folder of the benchmarks."""
        names = [_slug(self.variant)] if self.variant else []
        name = "__".join([*names, _slug(self.processor)])
        return place / TABLES / self.benchmark / f"{name}.json"

    def save(self, place: Path) -> None:
        """Store it, in place of an older result of this benchmark, variant and processor."""
        path = self.path(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._json(), encoding="utf-8")

    def _json(self) -> str:
        """JSON with one row of a table a line, so that a diff shows the rows that changed."""
        facts = {name: value for name, value in asdict(self).items() if name != "tables"}
        head = json.dumps(facts, indent=1, ensure_ascii=False).removesuffix("\n}")
        return f'{head},\n "tables": [\n{",".join(map(_table_json, self.tables))} ]\n}}\n'


def load(path: Path) -> StoredResult:
    """The result in a file."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    tables = [
        Table(one["columns"], [[*map(_shown, row)] for row in one["rows"]], one["caption"])
        for one in stored.pop("tables")
    ]
    return StoredResult(tables=tables, **stored)


def load_all(place: Path) -> Iterator[StoredResult]:
    """Every stored result below `place`, the folder of the benchmarks."""
    return map(load, sorted((place / TABLES).glob("*/*.json")))


def _table_json(table: Table) -> str:
    def line(values: Any) -> str:
        return json.dumps(values, ensure_ascii=False)

    rows = ",\n".join(f"   {line([*map(_stored, row)])}" for row in table.rows)
    return (
        f'  {{"caption": {line(table.caption)},\n   "columns": {line(table.columns)},\n'
        f'   "rows": [\n{rows}\n  ]}}\n'
    )


def _stored(text: str) -> StoredCell:
    """A number where the cell is no more than that, its value and text where it is a figure."""
    found = _FIGURE.fullmatch(text)
    if not found:
        return text
    digits = found[1].replace(",", "")
    value = int(digits) if digits.lstrip("-").isdecimal() else float(digits)
    return value if _shown(value) == text else {"value": value, "text": text}


def _shown(cell: StoredCell) -> str:
    """A cell as the table shows it."""
    match cell:
        case dict():
            return str(cell["text"])
        case int():
            return f"{cell:,}"
        case _:
            return str(cell)


def _slug(words: str) -> str:
    plain = re.sub(r"\((?:R|TM)\)", "", words)
    return re.sub(r"\W+", "_", plain).strip("_").lower()
