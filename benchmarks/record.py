"""Measurements, kept: a file for each run, so that all can resume; then a table and a sheet."""

import json
import os
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ganvas.evaluation.features.network import on_white

ROOT = Path(__file__).parents[1]
SCRATCH = ROOT / ".scratch"
RESULTS = ROOT / "benchmarks/RESULTS.md"
GALLERY = ROOT / "docs/gallery"
SHOWN, ROW, TITLE = 64, 8, 18
SIDE_BY_SIDE = 5  # contestants: more would be too small on a page


@dataclass(frozen=True)
class Terms:
    """What a comparison was asked for on the command line."""

    seeds: list[int]
    seconds: float
    only: list[str]  # who trains now; the table shows everyone who has a result
    fresh: bool
    results: Path

    @property
    def gallery(self) -> Path:
        """Where the contact sheet goes: a trial run keeps it beside its own results."""
        return GALLERY if self.results == RESULTS else self.results.parent


@dataclass(frozen=True)
class Result:
    """One contestant, one seed: what it did in its time, and its scores."""

    contestant: str
    seed: int
    seconds: float
    steps: int
    seen: int
    commit: str
    scores: dict[str, dict[str, float]]  # by the network that they were scored through

    def values(self, network: str) -> dict[str, float]:
        """The scores through a network and the speed, in real images a second."""
        return {"images/s": self.seen / self.seconds, **self.scores[network]}


@dataclass(frozen=True)
class Shelf:
    """The folder of one comparison's results, `benchmarks/results/NAME`; results are never mixed.

    They are committed: one of hours goes on in another checkout where it was.
    """

    name: str

    def find(self, contestant: str, seed: int, networks: Iterable[str]) -> Result | None:
        """A result that is there already, if it was scored through the same networks."""
        path = self._path(contestant, seed).with_suffix(".json")
        if not path.is_file():
            return None
        result = Result(**json.loads(path.read_text()))
        return result if {*result.scores} == {*networks} else None

    def keep(self, result: Result, sample: Tensor) -> None:
        """Store a result, and an image of the first 64 of its `sample`, at once."""
        path = self._path(result.contestant, result.seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        tiled(sample).save(path.with_suffix(".webp"), quality=90)
        path.with_suffix(".json").write_text(json.dumps(asdict(result), indent=2))

    def shown(self, contestant: str, seed: int) -> Image.Image:
        """The image that was kept beside a result."""
        return Image.open(self._path(contestant, seed).with_suffix(".webp"))

    def _path(self, contestant: str, seed: int) -> Path:
        word = re.sub(r"\W+", "_", contestant)
        return ROOT / "benchmarks/results" / self.name / f"{word}_seed{seed}"


def report(
    title: str,
    shelf: Shelf,
    groups: Mapping[str, Sequence[Result]],
    body: str,
    terms: Terms,
    real: Tensor,
) -> None:
    """Print the table, append it, and write the sheet of everyone who has a result."""
    print(f"{title}\n\n{body}")
    append(terms.results, title, body, [one for results in groups.values() for one in results])
    shown = {name: shelf.shown(name, results[0].seed) for name, results in groups.items()}
    contact_sheet(terms.gallery / f"{shelf.name}.png", {"real images": tiled(real), **shown})


def table(
    network: str,
    groups: Mapping[str, Sequence[Result]],
    columns: Mapping[str, str],
    ceiling: Mapping[str, float],
    baseline: str,
) -> str:
    """A markdown table: medians, the value of every seed, and the ratio to `baseline`'s median.

    The scores are those through `network`. `columns` maps a value to its heading; the last row is
    the `ceiling`, real against real.
    """
    values = {name: [one.values(network) for one in results] for name, results in groups.items()}
    rows = []
    for name in groups:
        base = values.get(baseline, []) if name != baseline else []
        rows.append([name, *(_cell(values[name], base, column) for column in columns)])
    ceilings = [_short(ceiling[column]) if column in ceiling else "" for column in columns]
    rows.append(["real images, half against half", *ceilings])
    return markdown(["contestant", *columns.values()], rows)


def append(path: Path, title: str, body: str, results: Sequence[Result]) -> None:
    """Add a section to the results; what is there already is never touched."""
    commits = ", ".join(sorted({result.commit for result in results}))
    append_table(path, title, body, commits)


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """A table."""
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def append_table(path: Path, title: str, body: str, commits: str | None = None) -> None:
    """Add a section with date, machine, commit and command."""
    facts = f"{date.today().isoformat()} · {machine()} · commit {commits or commit()}"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(f"## {title}\n\n{facts} · `{_command()}`\n\n{body}\n\n")


def machine() -> str:
    """Processor model, number of cores and version of torch."""
    return f"{_processor()}, {os.cpu_count()} cores · torch {torch.__version__}"


def commit() -> str:
    """The short hash of the checkout, with "dirty" when code differs from it."""
    changed = _git("status", "--porcelain", "--", "src", "benchmarks/*.py", "pyproject.toml")
    return (_git("rev-parse", "--short", "HEAD") or "unknown") + (" dirty" if changed else "")


def tiled(sample: Tensor) -> Image.Image:
    """The first 64 of `sample` (N, 1, 3 or 4 channels, H, W) in [-1, 1], eight in a row."""
    tiles = on_white(sample[:SHOWN]).clamp(-1, 1).add(1).mul(127.5).round().byte()
    count, _, height, width = tiles.shape
    rows = tiles.view(count // ROW, ROW, 3, height, width).permute(0, 3, 1, 4, 2)
    return Image.fromarray(np.ascontiguousarray(rows.reshape(-1, ROW * width, 3).numpy()))


def contact_sheet(path: Path, images: Mapping[str, Image.Image]) -> None:
    """The images of all contestants, each under its name."""
    width, height = next(iter(images.values())).size
    columns, rows = min(len(images), SIDE_BY_SIDE), -(-len(images) // SIDE_BY_SIDE)
    sheet = Image.new("RGB", ((width + ROW) * columns, (height + TITLE) * rows), "white")
    pen = ImageDraw.Draw(sheet)
    for place, (name, image) in enumerate(images.items()):
        row, column = divmod(place, SIDE_BY_SIDE)
        left, top = column * (width + ROW), row * (height + TITLE)
        sheet.paste(image, (left, top + TITLE))
        pen.text((left + 2, top + 3), name, fill="black")
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


def _cell(
    results: Sequence[Mapping[str, float]], baseline: Sequence[Mapping[str, float]], column: str
) -> str:
    values = [result[column] for result in results]
    every = f" ({', '.join(map(_short, values))})" if len(values) > 1 else ""
    base = median([result[column] for result in baseline]) if baseline else 0
    ratio = f" {_short(median(values) / base)}x" if base else ""
    return f"**{_short(median(values))}**{ratio}{every}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def _command() -> str:
    """The command that ran, without the paths of this machine."""
    words = [Path(word).name if Path(word).is_absolute() else word for word in sys.argv[1:]]
    return shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *words])


def _git(*words: str) -> str:
    try:
        found = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    except OSError:
        return ""
    return found.stdout.strip()
