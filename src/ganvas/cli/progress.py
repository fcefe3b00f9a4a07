"""The live display of a long job: what happens now, how far it is, and its losses over time."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import isnan, nan
from statistics import fmean

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

BLOCKS = "▁▂▃▄▅▆▇█"
LONGEST = 512  # values of a history, an even number; then each two become their mean
WIDEST = 40  # columns of a sparkline
SMOOTHING = 0.1  # weight of the newest value in the moving average
BAR = 10, 40  # columns of the bar
FACTS = 56  # columns beside the bar


class Curve:
    """A number over a whole run: its moving average, and a history of at most LONGEST values."""

    def __init__(self, name: str) -> None:
        self.name, self.value = name, nan
        self.history: list[float] = []
        self._each, self._pending = 1, [0.0, 0.0]  # values in each of the history; sum and count

    def add(self, value: float) -> None:
        """Add a value."""
        moved = self.value + SMOOTHING * (value - self.value)
        self.value = value if isnan(self.value) else moved
        self._pending = [self._pending[0] + self.value, self._pending[1] + 1]
        if self._pending[1] == self._each:
            self.history.append(self._pending[0] / self._each)
            self._pending = [0.0, 0.0]
        if len(self.history) == LONGEST:
            pairs = zip(self.history[::2], self.history[1::2], strict=True)
            self.history, self._each = [fmean(pair) for pair in pairs], 2 * self._each

    def __str__(self) -> str:
        return f"{self.name} {self.value:{'.2f' if abs(self.value) < 1000 else '.2g'}}"


def sparkline(values: list[float], width: int) -> str:
    """Values as blocks of rising height, at most `width`; each is the mean of its part.

    The lowest and the highest part have the lowest and the highest block. Empty for fewer than two
    values.
    """
    parts = min(width, len(values))
    if parts < 2:
        return ""
    edges = [len(values) * part // parts for part in range(parts + 1)]
    means = [fmean(values[start:end]) for start, end in pairwise(edges)]
    low, high = min(means), max(means)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(BLOCKS[round((mean - low) * scale)] for mean in means)


def packed(items: Iterable[str], width: int) -> list[str]:
    """Items in as few lines of this width as they fit into, in order."""
    lines: list[str] = []
    for item in items:
        if lines and len(lines[-1]) + 2 + len(item) <= width:
            lines[-1] += f"  {item}"
        else:
            lines.append(item)
    return lines


class LiveProgress(Progress):
    """A bar, and below it lines of losses; nothing where output is no terminal."""

    def __init__(self, console: Console, live: bool) -> None:
        self.details: list[str] = []
        self._task: TaskID | None = None
        super().__init__(  # draws at once
            TextColumn("{task.description}"),
            BarColumn(bar_width=max(BAR[0], min(BAR[1], console.width - FACTS))),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[facts]}"),
            console=console,
            disable=not live,
            transient=True,
        )
        # A terminal of another encoding would show escapes in place of blocks.
        self.has_blocks = _encodes(console, BLOCKS)

    def get_renderables(self) -> Iterator[RenderableType]:
        """The bar and the lines below it."""
        yield from super().get_renderables()
        for line in self.details:
            yield Text(line, no_wrap=True, overflow="crop")

    def advance_to(self, what: str, fraction: float, facts: str, details: list[str]) -> None:
        """Show what happens now, and how far it is."""
        if self._task is None:
            self._task = self.add_task(what, total=1.0, facts="")
        self.details = details
        self.update(self._task, description=what, completed=fraction, facts=facts)

    def clear(self) -> None:
        """Take the bar and the lines away."""
        if self._task is not None:
            self.remove_task(self._task)
            self._task, self.details = None, []

    def lines(self, curves: Sequence[Curve], numbers: Sequence[Curve]) -> list[str]:
        """Curves, each with a sparkline where the terminal can, and numbers without, in lines."""
        labels = [str(curve) for curve in curves]
        room = (self.console.width + 2) // max(1, len(curves)) - 2  # for each, with gaps of 2
        blocks = min(WIDEST, room - 1 - max(map(len, labels), default=0)) if self.has_blocks else 0
        drawn = [
            f"{label} {sparkline(curve.history, blocks)}".rstrip()
            for label, curve in zip(labels, curves, strict=True)
        ]
        return packed([*drawn, *map(str, numbers)], self.console.width)


def _encodes(console: Console, text: str) -> bool:
    try:
        text.encode(console.encoding)
    except (LookupError, UnicodeEncodeError):
        return False
    return True
