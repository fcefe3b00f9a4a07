"""Measurements, kept: a file for each run, so that all can resume; then tables and a sheet."""

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
from figures import SECTIONS, write_page
from PIL import Image, ImageDraw
from stored import BENCHMARKS, StoredResult, Table
from torch import Tensor

from ganvas.evaluation.features.network import on_white

ROOT = Path(__file__).parents[1]
SCRATCH = ROOT / ".scratch"
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
    results: Path  # folder of stored results, history and page

    @property
    def gallery(self) -> Path:
        """Where the contact sheet goes: a trial run keeps it beside its own results."""
        return GALLERY if self.results == BENCHMARKS else self.results


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

    @property
    def plans(self) -> Path:
        """The file of plans that were made once for all seeds."""
        return self._folder / "plans.json"

    @property
    def _folder(self) -> Path:
        return ROOT / "benchmarks/results" / self.name

    def _path(self, contestant: str, seed: int) -> Path:
        word = re.sub(r"\W+", "_", contestant)
        return self._folder / f"{word}_seed{seed}"


def draw(shelf: Shelf, groups: Mapping[str, Sequence[Result]], terms: Terms, real: Tensor) -> None:
    """Write the sheet of everyone who has a result."""
    shown = {name: shelf.shown(name, results[0].seed) for name, results in groups.items()}
    contact_sheet(terms.gallery / f"{shelf.name}.png", {"real images": tiled(real), **shown})


def table(
    network: str,
    groups: Mapping[str, Sequence[Result]],
    columns: Mapping[str, str],
    ceiling: Mapping[str, float],
    baseline: str,
    caption: str,
) -> Table:
    """Medians, the value of every seed, and the ratio to `baseline`'s median.

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
    return Table(["contestant", *columns.values()], rows, caption)


def record(
    place: Path,
    benchmark: str,
    tables: Sequence[Table],
    *,
    variant: str = "",
    title: str = "",
    wanted: str = "",
    notes: str = "",
    commits: Iterable[str] = (),
    whole: bool = True,
) -> None:
    """Print what a benchmark found, store it, add it to the month's history and renew the page.

    Args:
        place: Folder of stored results, history and page.
        benchmark: Its key in `figures.SECTIONS`.
        tables: What it found.
        variant: Tells results of one benchmark apart; each variant keeps its newest result.
        title: Heading of the variant.
        wanted: What the figures should be, in one sentence.
        notes: How it was measured.
        commits: Commits of the runs, where they are not all of this checkout.
        whole: False for a part of the benchmark. It goes into the history only, because it would
            replace a table that has more.
    """
    result = StoredResult(
        benchmark=benchmark,
        variant=variant,
        title=title or SECTIONS[benchmark].heading,
        command=_command(),
        date=date.today().isoformat(),
        processor=f"{_processor()}, {os.cpu_count()} cores",
        torch=torch.__version__,
        commit=", ".join(sorted({*commits})) or commit(),
        tables=[*tables],
        wanted=wanted,
        notes=notes,
    )
    print(result.body())
    _log(place, result)
    if whole:
        result.save(place)
        write_page(place)


def _log(place: Path, result: StoredResult) -> None:
    """Add a section to the history of the month; what is there already is never touched."""
    path = place / "history" / f"{result.date[:7]}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with (path.parent / "README.md").open("a", encoding="utf-8") as index:
            index.write(f"- [{path.stem}]({path.name})\n")
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\n## {result.title}\n\n{result.facts()}\n\n{result.body()}\n")


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
    words = [Path(word).name if word.startswith(("/", "../")) else word for word in sys.argv[1:]]
    return shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *words])


def _git(*words: str) -> str:
    try:
        found = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    except OSError:
        return ""
    return found.stdout.strip()
