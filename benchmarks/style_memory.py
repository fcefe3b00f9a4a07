"""How much memory does an image of any size need, and how long does a megapixel take?

Each size is stylized for a few iterations in a process of its own, at that size alone. Larger than
one block, an image is looked at block by block, and memory then grows only by the image itself.
`python benchmarks/style_memory.py PHOTOGRAPH PAINTING`.
"""

import resource
import time
from argparse import ArgumentParser
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

import torch
from record import record
from stored import BENCHMARKS, Table
from style_score import seams

from ganvas.pretrained.vgg19 import VGG19
from ganvas.style.forecast import bytes_needed
from ganvas.style.images import open_image
from ganvas.style.margins import trim
from ganvas.style.optimization import optimize
from ganvas.style.presets import PRESETS
from ganvas.style.scene import Part, Scene, Style, resize
from ganvas.style.tiles import BLOCK, WHOLE

WIDTHS = (512, 1024, 1536, 2048, 3840)
ASPECT = 9 / 16
ITERATIONS = 3
DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}
Precision = Literal["bf16", "fp32"]


@dataclass(frozen=True)
class Measured:
    """One size in one precision."""

    width: int
    height: int
    peak: float  # bytes resident, of the whole process
    forecast: float
    seconds: float  # an iteration
    seams: float


def measure(width: int, precision: Precision, photograph: Path, painting: Path) -> Measured:
    """Stylize a few iterations; the time is that of the last ones."""
    height = round(width * ASPECT) // 16 * 16
    content = resize(open_image(photograph).colours, (height, width))
    scene = Scene(content, (Part((Style(trim(open_image(painting)).colours),)),))
    network = VGG19.load(dtype=DTYPES[precision])
    recipe = replace(PRESETS["default"].recipe, smallest=None, iterations=ITERATIONS)
    times = [time.perf_counter()]
    image = content
    for canvas in optimize(network, scene, recipe):
        times.append(time.perf_counter())
        image = canvas.image
    peak = 1024.0 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # Linux counts in KiB
    return Measured(
        width,
        height,
        peak,
        bytes_needed((height, width), DTYPES[precision], recipe),
        min(b - a for a, b in pairwise(times[1:])),
        seams(image),
    )


def row(found: Measured, precision: Precision) -> list[str]:
    """One row of the table."""
    pixels = found.width * found.height / 1e6
    return [
        precision,
        f"{found.width}x{found.height}",
        f"**{found.peak / 1e9:.2f} GB**",
        f"{found.forecast / 1e9:.2f} GB",
        f"{found.seconds:.2f} s",
        f"{found.seconds / pixels:.2f} s",
        f"{found.seams:.3f}",
    ]


def main() -> None:
    """Measure, print and record."""
    options = ArgumentParser(description="Memory and time by size.")
    options.add_argument("photograph", type=Path)
    options.add_argument("painting", type=Path)
    options.add_argument("--widths", type=int, nargs="+", default=WIDTHS)
    options.add_argument("--precisions", nargs="+", default=[*DTYPES], choices=[*DTYPES])
    options.add_argument("--results", type=Path, default=BENCHMARKS)
    given = options.parse_args()
    head = [
        "precision", "size", "resident at most", "forecast", "an iteration", "a megapixel",
        "gradient across seams",
    ]  # fmt: skip
    for precision in given.precisions:
        rows = []
        for width in given.widths:
            with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                work = pool.submit(measure, width, precision, given.photograph, given.painting)
                rows.append(row(work.result(), precision))
            print(*rows[-1], flush=True)
        record(
            given.results,
            "style_memory",
            [Table(head, rows)],
            variant=precision,
            title=f"Memory and time in {precision}",
            wanted="3840x2160 within 6 GB, and no growth by blocks.",
            notes=f"Above {WHOLE / 1e6:g} million pixels in blocks of {BLOCK} with margins.",
            whole={*given.widths} >= {*WIDTHS},
        )


if __name__ == "__main__":
    main()
