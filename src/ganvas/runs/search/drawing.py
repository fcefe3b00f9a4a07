"""A race as an image: how near each candidate has come, and what it paints."""

import numpy as np
from PIL import Image

from ganvas.imaging.plots import COLOURS, figure, write
from ganvas.runs.search.candidates import spoken
from ganvas.runs.search.study import Study

WIDTH, CURVES, ROW = 9.0, 3.0, 0.95  # inches


def draw(study: Study) -> None:
    """RUN/race/race.png, of everything that is over: the best comes first, by its last heat."""
    last = {heat.candidate: heat for heat in study.heats}
    order = sorted(last, key=lambda one: (-last[one].round, last[one].distance))
    sheet = figure(WIDTH, CURVES + ROW * len(order))
    axes = sheet.subplots(
        len(order) + 1, 1, squeeze=False, height_ratios=[CURVES, *[ROW] * len(order)]
    )[:, 0]
    for rank, candidate in enumerate(order):
        heats = [h for h in study.heats if h.candidate == candidate and h.kernel is not None]
        colour = COLOURS[rank % len(COLOURS)]
        axes[0].errorbar(
            [heat.images for heat in heats],
            [heat.kernel for heat in heats],
            [heat.error for heat in heats],
            color=colour,
            marker="o",
            linestyle="-" if rank < len(COLOURS) else ":",
            label=f"{candidate + 1}",
        )
        with Image.open(study.images(candidate)) as row:
            axes[rank + 1].imshow(np.asarray(row.convert("RGB")))
        axes[rank + 1].set_title(
            f"{candidate + 1}: {spoken(study.candidates[candidate])}",
            fontsize=8, loc="left", color=colour, pad=2,
        )  # fmt: skip
        axes[rank + 1].axis("off")
    axes[0].set_xlabel("images shown")
    axes[0].set_ylabel("kernel distance")
    axes[0].legend(title="candidate", frameon=False, ncols=2)
    axes[0].grid(alpha=0.2)
    write(sheet, study.folder / "race.png")
