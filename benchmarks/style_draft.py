"""How long does a whole `ganvas style --preset draft` take, and how much memory?

The command itself, from start to written image, in a process of its own at each width, 16:9.
`python benchmarks/style_draft.py PHOTOGRAPH PAINTING`.
"""

import os
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path

from PIL import Image
from record import record
from stored import BENCHMARKS, Table

WIDTHS = (512, 1920, 3840)


def draft(photograph: Path, painting: Path, width: int, out: Path) -> tuple[float, float]:
    """Seconds, and bytes resident at most."""
    command = [sys.executable, "-m", "ganvas", "style", str(photograph), str(painting)]
    command += ["--preset", "draft", "--size", str(width), "--out", str(out)]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} failed.")
    return time.perf_counter() - began, 1024.0 * used.ru_maxrss  # Linux counts in KiB


def main() -> None:
    """Measure, print and record."""
    options = ArgumentParser(description="Time and memory of a whole draft.")
    options.add_argument("photograph", type=Path)
    options.add_argument("painting", type=Path)
    options.add_argument("--widths", type=int, nargs="+", default=WIDTHS)
    options.add_argument("--results", type=Path, default=BENCHMARKS)
    given = options.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for width in given.widths:
            sides = width, width * 9 // 16
            photograph, out = Path(folder) / f"{width}.png", Path(folder) / f"{width}-out.png"
            with Image.open(given.photograph) as image:
                image.convert("RGB").resize(sides, Image.Resampling.LANCZOS).save(photograph)
            seconds, peak = draft(photograph, given.painting, width, out)
            size = f"{sides[0]}x{sides[1]}"
            rows.append([size, f"**{seconds:.1f} s**", f"**{peak / 1e9:.2f} GB**"])
            print(*rows[-1], flush=True)
    record(
        given.results,
        "style_draft",
        [Table(["size", "from command to image", "resident at most"], rows)],
        wanted="ten seconds at 512 px, and 3840x2160 within 6 GB.",
        whole={*given.widths} >= {*WIDTHS},
    )


if __name__ == "__main__":
    main()
