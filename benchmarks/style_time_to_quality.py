"""How soon is an image repainted, and how well?

Four pairs of photograph and painting at 384 pixels, the same network for all: a tutorial's (a), the
lesson's procedure at 256 pixels on one pair (b), Gatys et al. with L-BFGS (c), and ganvas's default
(d), which also stylizes at the strengths at which its content is that of (a) and of (c). At 256
pixels (d) meets the measured starting point. Each stylizes in a process of its own, timed without
its scoring.

`python benchmarks/style_time_to_quality.py DATA`, with DATA/photos and DATA/paintings. Interrupted,
it goes on where it was; `--fresh` starts again.
"""

import json
import resource
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from record import GALLERY, SCRATCH, commit, record
from stored import BENCHMARKS, Table
from style_contestants import Stylizer, bare_passes, preset, trial, tutorial
from style_score import StyleScorer
from torch import Tensor

from ganvas.pretrained.vgg19 import VGG19
from ganvas.runtime.allocation import memory_kept
from ganvas.style.images import open_image
from ganvas.style.margins import trim
from ganvas.style.scene import resize, sides_of

SIZE, SMALL = 384, 256
PAIRS = (
    ("moose", "van_gogh_night_cafe"),
    ("panda", "van_gogh_langlois_bridge"),
    ("polar_bear", "van_gogh_0019"),
    ("scarlet_macaw", "van_gogh_0012"),
)
ON_TRIAL = ("moose", "van_gogh_langlois_bridge")
LOOKS = 40  # scores over the course of a stylization
EQUAL, TRIES = 0.01, 5  # difference of content that counts as none; strengths tried to get there


@dataclass(frozen=True)
class Stylized:
    """One contestant, one pair: scores over time, what it cost, and its last scores."""

    contestant: str
    pair: str
    strength: float
    seconds: float
    curve: list[tuple[float, float, float]]  # seconds, style, content
    scores: dict[str, float]
    peak: float  # bytes
    bare: float  # seconds of the network passes alone
    commit: str

    @property
    def style(self) -> float:
        """The last image's."""
        return self.scores["style"]

    @property
    def content(self) -> float:
        """The last image's."""
        return self.scores["content"]


@dataclass(frozen=True)
class Task:
    """Who stylizes what; sent to the process that does it."""

    contestant: str
    photo: Path
    painting: Path
    size: int
    strength: float = 0.5

    @property
    def stylizer(self) -> Stylizer:
        """The contestant itself."""
        own = {"tutorial": tutorial, "trial": trial}
        return own.get(self.contestant) or preset(self.contestant, self.strength)

    @property
    def path(self) -> Path:
        """Where its result is kept."""
        name = f"{self.contestant}_{self.photo.stem}_{self.painting.stem}_{self.strength:.4f}"
        return SCRATCH / "benchmarks" / f"style_{self.size}" / f"{name}.json"


def paint(task: Task) -> Stylized:
    """Stylize and score: time stops while an image is scored."""
    photograph = open_image(task.photo).colours
    photograph = resize(photograph, sides_of(photograph, task.size))
    painting = open_image(task.painting)
    inner = trim(painting).colours
    scorer = StyleScorer(photograph, painting)
    fitting = resize(inner, sides_of(inner, min(task.size, max(inner.shape[2:]))))
    given = fitting if task.contestant in ("tutorial", "trial") else inner
    before = _peak()
    sizes: dict[tuple[int, int], int] = {}
    curve, images, last, due = [], [], photograph, 0.0
    began, paused = time.perf_counter(), 0.0
    for image in task.stylizer(photograph, given):
        now = time.perf_counter()
        seconds = now - began - paused
        sides = image.shape[2], image.shape[3]
        sizes[sides] = sizes.get(sides, 0) + 1
        last = image
        if seconds >= due:
            score = scorer.score(image)
            curve.append((seconds, score.style, score.content))
            images.append(image)
            due = max(due + 0.5, seconds * (1 + 4 / LOOKS))
            paused += time.perf_counter() - now
    total = time.perf_counter() - began - paused
    score = scorer.score(last)
    curve.append((total, score.style, score.content))
    task.path.parent.mkdir(parents=True, exist_ok=True)
    save(last, task.path.with_suffix(".png"))
    result = Stylized(
        contestant=task.contestant,
        pair=f"{task.photo.stem}, {task.painting.stem}",
        strength=task.strength,
        seconds=total,
        curve=curve,
        scores=asdict(score),
        peak=max(0.0, _peak() - before),
        bare=bare_cost(photograph, sizes, task.contestant),
        commit=commit(),
    )
    task.path.write_text(json.dumps(asdict(result), indent=1))
    return result


def bare_cost(photograph: Tensor, sizes: dict[tuple[int, int], int], contestant: str) -> float:
    """Seconds of the network's passes, forward to relu5_1 and back to the pixels, and no more."""
    exact = contestant in ("tutorial", "gatys")
    network = VGG19.load(dtype=torch.float32 if exact else torch.bfloat16)
    total = 0.0
    for sides, count in sizes.items():
        image, times = resize(photograph, sides), []
        with memory_kept():  # as ganvas stylizes
            for _ in range(5):
                began = time.perf_counter()
                bare_passes(network, image)
                times.append(time.perf_counter() - began)
        total += count * sorted(times)[2]
    return total


def run(task: Task, fresh: bool) -> Stylized:
    """A result that is there, or a new one from a process of its own."""
    if task.path.exists() and not fresh:
        return Stylized(**json.loads(task.path.read_text()))
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        result = pool.submit(paint, task).result()
    print(
        f"{task.contestant:9} {result.pair:40} strength {task.strength:.3f} "
        f"{result.seconds:6.1f} s  style {result.style:.3f}  content {result.content:.3f}",
        flush=True,
    )
    return result


def at_content(content: float, known: list[Stylized], task: Task) -> Stylized:
    """ganvas at a strength at which it keeps this much content or barely more.

    `known` are results of the same pair, and get those that are tried on the way.
    """
    for _ in range(TRIES):
        more = [one for one in known if one.content >= content]
        less = [one for one in known if one.content < content]
        nearest = min(more, key=lambda one: one.content, default=None)
        if nearest and nearest.content < content + EQUAL:
            return nearest
        # Between the nearest on both sides; strength 0 keeps nearly all, strength 1 hardly any.
        above = (nearest.content, nearest.strength) if nearest else (1.0, 0.0)
        below = max(((one.content, one.strength) for one in less), default=(0.3, 1.0))
        share = (above[0] - content - EQUAL / 3) / (above[0] - below[0])
        strength = round(above[1] + share * (below[1] - above[1]), 3)
        known.append(run(replace(task, strength=strength), False))
    return min((one for one in known if one.content >= content), key=lambda one: one.content)


def reached(stylized: Stylized, style: float, content: float) -> float | None:
    """Seconds after which the image was as near to style and photograph; None: never."""
    for seconds, style_here, content_here in stylized.curve:
        if style_here <= style and content_here >= content - EQUAL:
            return seconds
    return None


def duel(one: Stylized, ganvas: Stylized) -> list[str]:
    """A row: how soon ganvas reaches what `one` ends with, and how well it ends."""
    soon = reached(ganvas, one.style, one.content)
    took = "never" if soon is None else f"{soon:.0f} s, **1/{one.seconds / soon:.0f}**"
    return [
        one.pair,
        one.contestant,
        f"{one.seconds:.0f} s",
        f"{one.style:.3f}",
        f"{one.content:.3f}",
        f"{ganvas.content:.3f}",
        took,
        f"**{ganvas.style:.3f}**",
        f"{ganvas.seconds:.0f} s",
    ]


def facts(stylized: Stylized) -> list[str]:
    """A row: everything about one result."""
    scores = stylized.scores
    return [
        stylized.pair,
        stylized.contestant,
        f"{stylized.seconds:.0f} s",
        *(f"{scores[name]:.3f}" for name in ("style", "content", "checkerboard", "border")),
        f"{stylized.peak / 1e6:,.0f} MB",
        f"{stylized.seconds / stylized.bare:.2f}",
    ]


def contact_sheet(rows: list[list[Path]], titles: list[str], target: Path) -> None:
    """Images in rows under their titles."""
    images = [[Image.open(path) for path in row] for row in rows]
    width = max(p.width for row in images for p in row) + 8
    heights = [max(p.height for p in row) + 8 for row in images]
    sheet = Image.new("RGB", (width * len(titles), sum(heights) + 20), "white")
    pen = ImageDraw.Draw(sheet)
    for column, title in enumerate(titles):
        pen.text((column * width + 4, 4), title, fill="black")
    for row, line in enumerate(images):
        for column, image in enumerate(line):
            sheet.paste(image, (column * width, 20 + sum(heights[:row])))
    target.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(target, quality=88)


def save(image: Tensor, path: Path) -> None:
    """An image (1, 3, H, W) in [0, 1] as a file."""
    pixels = image[0].clamp(0, 1).permute(1, 2, 0).numpy()
    Image.fromarray(np.rint(255 * pixels).astype(np.uint8)).save(path)


def _peak() -> float:
    """The largest resident memory of this process so far, in bytes (Linux counts in KiB)."""
    return 1024.0 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def tasks(data: Path, contestant: str, pair: tuple[str, str], size: int) -> Task:
    """A contestant and a pair by their names."""
    photo, painting = pair
    return Task(contestant, data / f"photos/{photo}.jpg", data / f"paintings/{painting}.jpg", size)


def compare(
    data: Path, fresh: bool
) -> Iterator[tuple[list[Stylized], list[tuple[Stylized, Stylized]]]]:
    """For every pair the results, and those of equal content."""
    for pair in PAIRS:
        peers = [run(tasks(data, name, pair, SIZE), fresh) for name in ("tutorial", "gatys")]
        default = tasks(data, "default", pair, SIZE)
        own = run(default, fresh)
        known = [own]
        yield [*peers, own], [(p, at_content(p.content, known, default)) for p in peers]


def main() -> None:
    """Stylize, compare, print and record."""
    options = ArgumentParser(description="How soon is an image repainted, and how well?")
    options.add_argument("data", type=Path, help="folder with photos and paintings")
    options.add_argument("--fresh", action="store_true", help="stylize again what has a result")
    options.add_argument("--results", type=Path, default=BENCHMARKS, help="folder to record into")
    given = options.parse_args()
    single, duels = [], []
    for paintings, pairs in compare(given.data, given.fresh):
        single += paintings
        duels += pairs
    small = [
        run(tasks(given.data, name, ON_TRIAL, SMALL), given.fresh)
        for name in ("lesson", "trial", "default")
    ]
    equal = Table(
        [
            "pair", "contestant", "time", "style ↓", "content ↑",
            "ganvas: content ↑", "as near to the style after", "style at its end ↓", "time",
        ],
        [duel(*pair) for pair in duels],
        f"At equal content, {SIZE} px:",
    )  # fmt: skip
    head = [
        "pair", "contestant", "time", "style ↓", "content ↑", "checkerboard", "border",
        "memory", "time / bare passes",
    ]  # fmt: skip
    tables = [
        equal,
        Table(head, [*map(facts, single)], f"Each at its own settings, {SIZE} px:"),
        Table(head, [*map(facts, small)], f"{SMALL} px:"),
    ]
    commits = [one.commit for one in [*single, *small]]
    record(given.results, "style_time_to_quality", tables, commits=commits)
    names = ["tutorial", "gatys", "default"]
    rows = [
        [tasks(given.data, name, pair, SIZE).path.with_suffix(".png") for name in names]
        for pair in PAIRS
    ]
    contact_sheet(rows, names, GALLERY / "style_contestants.jpg")


if __name__ == "__main__":
    main()
