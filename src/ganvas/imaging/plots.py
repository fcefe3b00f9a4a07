"""Matplotlib figures; matplotlib is imported with the first one."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ganvas.imaging.write import generated_mark
from ganvas.runtime.atomic import replacing
from ganvas.runtime.cache import cache_folder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#808080"  # of axes and words: four to one against white, and against a dark page
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9")  # Okabe and Ito: safe for all


def figure(width: float, height: float) -> "Figure":
    """An empty figure of this size in inches."""
    # Otherwise matplotlib writes its font index into the user's home directory.
    os.environ.setdefault("MPLCONFIGDIR", str(cache_folder() / "matplotlib"))
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def write(sheet: "Figure", path: Path) -> None:
    """Write a figure as a PNG, atomically; raises PlaceError."""
    suit_any_page(sheet)
    with replacing(path) as temporary:
        sheet.savefig(temporary, format="png", dpi=110, metadata=generated_mark("figure"))


def suit_any_page(sheet: "Figure") -> None:
    """Let the page show through, and write in a grey that is read on light and on dark ones."""
    sheet.patch.set_alpha(0)
    for axis in sheet.axes:
        axis.patch.set_alpha(0)
        axis.tick_params(which="both", colors=INK)
        axis.title.set_color(INK)
        for part in (axis.xaxis.label, axis.yaxis.label, axis.yaxis.offsetText):
            part.set_color(INK)
        for spine in axis.spines.values():
            spine.set_color(INK)
        legend = axis.get_legend()
        if legend is not None:
            legend.get_frame().set_alpha(0)
            for text in legend.get_texts():
                text.set_color(INK)
