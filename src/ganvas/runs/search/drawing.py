"""A search as a figure: how near each trial has come, and what it generates."""

from contextlib import suppress

import numpy as np
from PIL import Image

from ganvas.imaging.plots import COLOURS, figure, write
from ganvas.runs.search.study import Study
from ganvas.runs.search.trials import in_words

WIDTH, CURVES, ROW = 9.0, 3.0, 0.95  # inches


def draw(study: Study) -> None:
    """RUN/search/search.png, of everything that is over: the best comes first, by its last
    result."""
    last = {result.trial: result for result in study.results}
    order = sorted(last, key=lambda one: (-last[one].round, last[one].distance))
    sheet = figure(WIDTH, CURVES + ROW * len(order))
    axes = sheet.subplots(
        len(order) + 1, 1, squeeze=False, height_ratios=[CURVES, *[ROW] * len(order)]
    )[:, 0]
    for rank, trial in enumerate(order):
        results = [one for one in study.results if one.trial == trial and one.kernel is not None]
        colour = COLOURS[rank % len(COLOURS)]
        axes[0].errorbar(
            [result.images for result in results],
            [result.kernel for result in results],
            [result.error for result in results],
            color=colour,
            marker="o",
            linestyle="-" if rank < len(COLOURS) else ":",
            label=f"{trial + 1}",
        )
        with suppress(OSError), Image.open(study.images(trial)) as row:  # somebody may delete it
            axes[rank + 1].imshow(np.asarray(row.convert("RGB")))
        axes[rank + 1].set_title(
            f"{trial + 1}: {in_words(study.trials[trial])}",
            fontsize=8, loc="left", color=colour, pad=2,
        )  # fmt: skip
        axes[rank + 1].axis("off")
    axes[0].set_xlabel("images shown")
    axes[0].set_ylabel("KID (kernel distance)")
    axes[0].legend(title="trial", frameon=False, ncols=2)
    axes[0].grid(alpha=0.2)
    write(sheet, study.folder / "search.png")
