"""Matplotlib figures; matplotlib is imported with the first one."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ganvas.imaging.write import generated_mark
from ganvas.runtime.atomic import replacing
from ganvas.runtime.cache import cache_folder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9")  # Okabe and Ito: safe for all


def figure(width: float, height: float) -> "Figure":
    """An empty figure of this size in inches."""
    # Otherwise matplotlib writes its font index into the user's home directory.
    os.environ.setdefault("MPLCONFIGDIR", str(cache_folder() / "matplotlib"))
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def write(sheet: "Figure", path: Path) -> None:
    """Write a figure as a PNG, atomically; raises PlaceError."""
    with replacing(path) as temporary:
        sheet.savefig(temporary, format="png", dpi=110, metadata=generated_mark("figure"))
