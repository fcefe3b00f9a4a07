"""What a sweep has found: a table, a sheet of every trial's samples, and what mattered."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.metadata import CheckpointError
from ganvas.checkpoints.run_dir import RunDir
from ganvas.imaging.plots import COLOURS, figure, write
from ganvas.runtime.atomic import write_text
from ganvas.sweep.definition import UNITS
from ganvas.sweep.study import Study

WIDTH, CURVES, BARS, ROW = 9.0, 3.0, 0.3, 0.95  # inches
MOST = 40  # trials on the sheet, the best first
GAP = 2  # pixels between the images of a sample grid
REPORT, SHEET = "report.md", "trials.png"


def write_report(study: Study) -> Path:
    """Write SWEEP/report.md and SWEEP/trials.png, of everything that has a score."""
    ranking, mattered = study.ranking(), study.importances()
    names = [one.setting for one in study.definition.ranges]
    head = ["trial", *names, *(f"KID at {unit}/{UNITS[-1]}" for unit in UNITS), "run"]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for one in ranking:
        scores = [_number(one.intermediate_values.get(unit)) for unit in UNITS]
        cells = [
            str(study.number(one)),
            *(_number(one.params.get(name)) for name in names),
            *scores,
        ]
        lines.append(f"| {' | '.join([*cells, f'trials/{study.run_of(one).path.name}'])} |")
    text = (
        "# Sweep\n\nThe best first: those that went furthest, by their KID (kernel distance).\n\n"
    )
    text += "\n".join(lines) + "\n"
    if mattered:
        said = ", ".join(f"{name} {100 * share:.0f} %" for name, share in mattered.items())
        text += f"\nWhat set the better third apart (PED-ANOVA): {said}.\n"
    path = study.folder / REPORT
    write_text(path, text)
    if ranking:
        _draw(study, ranking[:MOST], mattered)
    return path


def _draw(study: Study, ranking: list[Any], mattered: dict[str, float]) -> None:
    heights = [CURVES, *([BARS * len(mattered) + 0.4] if mattered else []), *[ROW] * len(ranking)]
    sheet = figure(WIDTH, sum(heights))
    axes = sheet.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    curves, *rest = axes
    if mattered:
        bars, *rest = rest
        bars.barh([*mattered][::-1], [*mattered.values()][::-1], color=COLOURS[0])
        bars.set_xlabel("importance")
    for rank, (one, row) in enumerate(zip(ranking, rest, strict=True)):
        colour = COLOURS[rank % len(COLOURS)]
        units = sorted(one.intermediate_values)
        curves.plot(
            [unit / UNITS[-1] for unit in units],
            [one.intermediate_values[unit] for unit in units],
            color=colour,
            marker="o",
            linestyle="-" if rank < len(COLOURS) else ":",
        )
        said = ", ".join(f"{name} {_number(value)}" for name, value in one.params.items())
        row.set_title(
            f"{study.number(one)}: {said or 'as planned'}",
            fontsize=8, loc="left", color=colour, pad=2,
        )  # fmt: skip
        row.axis("off")
        if (strip := _samples(study.run_of(one))) is not None:
            row.imshow(strip)
    curves.set_xlabel("share of a trial's time")
    curves.set_ylabel("KID (kernel distance)")
    curves.grid(alpha=0.2)
    write(sheet, study.folder / SHEET)


def _samples(run: RunDir) -> Any:
    """The first two rows of a run's newest sample grid."""
    sheets = sorted(run.samples.glob("*.png"))
    with suppress(OSError, IndexError, CheckpointError), Image.open(sheets[-1]) as image:
        pixels = np.asarray(image.convert("RGB"))
        model = checkpoint.newest(run.checkpoints)[0].metadata.model
        height = model.shape[1] if model else pixels.shape[0]
        return pixels[: min(pixels.shape[0], 2 * (height + GAP) + GAP)]
    return None


def _number(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
