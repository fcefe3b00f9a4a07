"""What comes before training: starting, preparing the emoji at 64x64, memory of many images.

python benchmarks/preparation.py [--count 100000] [--runs 3]
"""

import gc
import os
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path
from statistics import median

import numpy as np
from images import prepared
from PIL import Image
from record import record
from stored import BENCHMARKS, Table

from ganvas.data import positions

WANTED_RATE, MAX_MEMORY = 300, 200  # images a second; MB above the start
MAX_HELP = 0.3  # seconds
BATCH, SIZE = 64, 64
COUNT = 100_000  # images


def rate() -> float:
    """Emoji prepared a second, into an empty cache."""
    with tempfile.TemporaryDirectory() as cache:
        began = time.perf_counter()
        images = prepared("emoji", SIZE, Path(cache))
        return images.usable / (time.perf_counter() - began)


def help_seconds(runs: int = 9) -> float:
    """Seconds that `ganvas --help` takes, as a whole process."""
    command = [sys.executable, "-m", "ganvas", "--help"]
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.perf_counter() - began)
    return median(taken)


def memory(count: int) -> dict[str, float]:
    """MB of resident memory above the start: preparing `count` JPEGs, then showing each once."""
    with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryDirectory() as folder:
        _photographs(Path(folder), count)
        gc.collect()
        start, seen = _resident(), [0.0]
        images = prepared(folder, SIZE, Path(cache), lambda: seen.append(_resident() - start))
        preparing, seen = max(seen), [0.0]
        for first in range(0, count, BATCH):
            images.batch(positions(0, first, min(BATCH, count - first), count))
            seen.append(_resident() - start)
    return {"while preparing": preparing, "while reading": max(seen)}


def _photographs(folder: Path, count: int) -> None:
    random = np.random.default_rng(0)
    for number in range(count):
        (folder / f"{number // 1000}").mkdir(exist_ok=True)
        noise = random.integers(0, 255, (12, 12, 3), dtype=np.uint8)
        image = Image.fromarray(noise).resize((96, 96))
        image.save(folder / f"{number // 1000}" / f"{number}.jpg")


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    """Measure, print and record."""
    options = ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=COUNT)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--results", type=Path, default=BENCHMARKS)
    given = options.parse_args()
    rates = [rate() for _ in range(given.runs)]
    rows = [
        [
            f"emoji at 64x64, images/s, median of {given.runs}",
            f"**{median(rates):,.0f}** ({min(rates):,.0f} to {max(rates):,.0f})",
            f"at least {WANTED_RATE}",
        ],
        ["`ganvas --help`, seconds", f"**{help_seconds():.2f}**", f"below {MAX_HELP}"],
    ]
    rows += [
        [
            f"{given.count:,} images at 64x64, MB above the start at most, {when}",
            f"**{megabytes:.0f}**",
            f"at most {MAX_MEMORY}",
        ]
        for when, megabytes in memory(given.count).items()
    ]
    table = Table(["", "measured", "wanted"], rows)
    record(given.results, "preparation", [table], whole=given.count >= COUNT)


if __name__ == "__main__":
    main()
