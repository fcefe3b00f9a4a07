"""How long `ganvas evaluate` takes: 2,000 emoji at 64x64 that the shipped generator generates.

`python benchmarks/evaluation_time.py`. Three times each: with nothing kept of the real images but
their pixels, and with their features in the cache.
"""

import os
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from record import record
from stored import BENCHMARKS, Table

import ganvas
from ganvas.data import cache_folder
from ganvas.data.cache.place import FEATURES
from ganvas.evaluation.metrics import EvaluationReport
from ganvas.events import Evaluated

COUNT, TIMES = 2000, 3


def main() -> None:
    """Time, print and record."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["GANVAS_CACHE"] = cache
        _evaluated(100)  # images are prepared, networks read once
        first, again = [], []
        for _ in range(TIMES):
            for kept in (cache_folder() / FEATURES).glob("*"):
                Path(kept).unlink()
            seconds, report = _evaluated(COUNT)
            first.append(seconds)
            again.append(_evaluated(COUNT)[0])
    rows = [
        ["real images seen for the first time", _times(first)],
        ["features of real images in the cache", _times(again)],
    ]
    notes = (
        f"{report.samples:,} samples against {report.reals:,} real emoji at 64x64, through "
        f"{report.network}, every metric and the strip; median, and all {TIMES}."
    )
    record(BENCHMARKS, "evaluation_time", [Table(["", "seconds"], rows)], notes=notes)


def _evaluated(count: int) -> tuple[float, EvaluationReport]:
    began = perf_counter()
    *_, found = ganvas.evaluate("emoji", count=count)
    assert isinstance(found, Evaluated), "the last event is the report"
    report: EvaluationReport = found.report
    return perf_counter() - began, report


def _times(seconds: list[float]) -> str:
    return f"**{median(seconds):.0f}** ({', '.join(f'{s:.0f}' for s in seconds)})"


if __name__ == "__main__":
    main()
