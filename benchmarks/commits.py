"""Is training as fast as at another commit? The same runs by two checkouts, by turns.

`git worktree add ../before COMMIT`, then `python benchmarks/commits.py ../before`. Both are called
as users call them, through the command line, which means the same in every version.
"""

import json
import os
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from record import ROOT, commit, record
from stored import BENCHMARKS, Table

SOURCES = ("digits", "emoji")
IMAGES, BATCH = 6_400, 32
FLAGS = (
    "--size", "32", "--batch", str(BATCH), "--width", "32", "--r1", "0.1", "--r2", "0.1",
    "--images", str(IMAGES), "--threads", "1", "--seed", "0", "--doctor", "off",
)  # fmt: skip


def main() -> None:
    """Train by turns, print the table and record it."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path, help="a checkout of the other commit")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--results", type=Path, default=BENCHMARKS)
    given = parser.parse_args()
    rows = []
    for source in SOURCES:
        pairs = [
            (step_seconds(given.before, source), step_seconds(ROOT, source))
            for _ in range(given.rounds)
        ]
        ratios = [after / before for before, after in pairs]
        print(source, pairs, flush=True)
        rows.append(
            [
                f"{source}, batch {BATCH}",
                *(f"{1000 * median(one):.1f}" for one in zip(*pairs, strict=True)),
                f"**{median(ratios):.3f}** ({min(ratios):.3f} to {max(ratios):.3f})",
            ]
        )
    head = ["`compact`, 32x32, width 32", "before, ms a step", "after", "after / before"]
    record(
        given.results,
        "commits",
        [Table(head, rows)],
        notes=f"{given.rounds} runs of each by turns, one thread.",
        commits=[head_of(given.before), commit()],
    )


def step_seconds(checkout: Path, source: str) -> float:
    """Seconds of a step in the second half of a run: its beginning allocates memory."""
    with TemporaryDirectory() as place:
        out = Path(place) / "run"
        command = [sys.executable, "-m", "ganvas", "train", source, "--out", str(out), *FLAGS]
        where = {**os.environ, "PYTHONPATH": str(checkout.absolute() / "src")}
        subprocess.run(command, env=where, check=True, capture_output=True)
        lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    timed = [line for line in lines if "seconds" in line and line["images"] >= IMAGES // 2]
    first, last = timed[0], timed[-1]
    return float((last["seconds"] - first["seconds"]) / (last["step"] - first["step"]))


def head_of(checkout: Path) -> str:
    """The short hash of another checkout."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True)
    return done.stdout.strip()


if __name__ == "__main__":
    main()
