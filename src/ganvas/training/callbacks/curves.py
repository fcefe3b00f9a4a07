"""The metrics log of a run as a figure: losses, logits, scores, treatments and commands."""

from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ganvas.imaging.plots import COLOURS, INK, figure, write
from ganvas.runtime.names import printable
from ganvas.training.callbacks import log

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABELS = {
    "loss_d": "discriminator",
    "loss_g": "generator",
    "d_real": "D(real)",
    "d_fake": "D(fake)",
    "logit_gap": "real - fake",
    "loss": "loss",
    "reconstruction": "reconstruction",
    "divergence": "divergence",
    "score": "thumbnails",
    "kernel": "feature network",
    "precision": "precision",
    "recall": "recall",
    "coverage": "coverage",
}
PANELS = {
    "loss": ("loss_d", "loss_g", "loss", "reconstruction", "divergence"),
    "taken for real": ("d_real", "d_fake"),
    "difference of logits": ("logit_gap",),
    "KID of thumbnails": ("score",),
    "KID of features": ("kernel",),
    "shares": ("precision", "recall", "coverage"),
}
SHOWN, MARGIN = (0.02, 0.98), 0.25  # quantiles, and the margin shown beyond them
LONGEST = 36  # characters of a mark
NEAR = 0.02  # of the curves' width: words as close as this are joined
FEW = 60  # fewer points than this are not smoothed


def draw(metrics: Path, image: Path) -> bool:
    """Plot the metrics log as `image`; False when it holds nothing to plot."""
    everything = log.read(metrics)
    lines = _comparable([line for line in everything if "images" in line])
    panels = {title: names for title, names in PANELS.items() if _present(lines, names)}
    if not panels:
        return False
    sheet = figure(9, 2.6 * len(panels))
    axes = sheet.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axis, (title, names) in zip(axes, panels.items(), strict=True):
        _panel(axis, title, _present(lines, names), lines)
    _draw_marks(list(axes), everything)
    axes[-1].set_xlabel("images shown")
    write(sheet, image)
    return True


def _comparable(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out scores that are not comparable with the newest one."""
    fields = ("features", "samples", "reals")
    means = [tuple(line.get(name) for name in fields) for line in lines]
    newest = next((m for m in reversed(means) if m[0] is not None), None)
    return [line for line, m in zip(lines, means, strict=True) if m[0] is None or m == newest]


def _present(lines: list[dict[str, Any]], names: tuple[str, ...]) -> list[str]:
    """The names with at least two points, since one makes no curve."""
    return [name for name in names if sum(name in line for line in lines) > 1]


def _panel(axis: "Axes", title: str, names: list[str], lines: list[dict[str, Any]]) -> None:
    low, high = _without_spikes([line[name] for name in names for line in lines if name in line])
    axis.set_ylim(low, high)
    for name, colour in zip(names, COLOURS, strict=False):
        points = [(line["images"], line[name]) for line in lines if name in line]
        x, y = zip(*points, strict=True)
        few = len(points) < FEW
        axis.plot(x, y, color=colour, alpha=0.25, linewidth=0.8)
        axis.plot(
            x,
            y if few else _smooth([min(high, max(low, value)) for value in y]),
            color=colour,
            label=LABELS[name],
            linewidth=1.6,
            marker="o" if few else "",
        )
    axis.set_ylabel(title)
    axis.legend(loc="upper right", frameon=False)
    axis.grid(alpha=0.2)


def _without_spikes(values: list[float]) -> tuple[float, float]:
    """The limits of a panel's axis, which cut off a few outliers."""
    values = [value for value in values if isfinite(value)] or [0.0]
    low, high = np.quantile(values, SHOWN)
    margin = MARGIN * (high - low) or 1.0
    return max(min(values), low - margin) - margin / 4, min(max(values), high + margin) + margin / 4


def _draw_marks(axes: "list[Axes]", lines: list[dict[str, Any]]) -> None:
    """Draw a line at each treatment, with the name of its issue, and at each command."""
    found = marks(lines)
    for images, _, style in found:
        for axis in axes:
            axis.axvline(images, color="#999999", linewidth=1, linestyle=style)
    for images, text in grouped([(images, text) for images, text, _ in found]):
        # Matplotlib would read what is between dollar signs as a formula.
        axes[0].annotate(
            text.replace("$", r"\$"), (images, 1.0), (2, -3),
            xycoords=("data", "axes fraction"), textcoords="offset points", rotation=90, va="top",
            fontsize=7, color=INK,
        )  # fmt: skip


def marks(lines: list[dict[str, Any]]) -> list[tuple[int, str, str]]:
    """Treatments and commands of a log: after how many images, in what words, in which style."""
    found, images = [], 0
    for line in lines:
        images = line.get("images", images)
        match line:
            case {"event": "treatment", "issue": issue}:
                found.append((images, shortened(str(issue)), "--"))
            case {"event": "command", "refused": _} | {"event": "command", "command": "stop"}:
                pass  # nothing has changed, or the curves end there
            case {"event": "command", "command": "label"}:
                found.append((images, shortened(str(line.get("text"))), ":"))
            case {"event": "command", "command": command}:
                details = [str(line[name]) for name in ("setting", "value") if name in line]
                found.append((images, shortened(" ".join([str(command), *details])), ":"))
    return found


def grouped(words: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Words so close that they would hide each other, joined."""
    least = NEAR * max((images for images, _ in words), default=0)
    found: list[tuple[int, str]] = []
    for images, text in words:
        if found and images - found[-1][0] <= least:
            first, before = found.pop()
            found.append((first, shortened(f"{before}, {text}")))
        else:
            found.append((images, text))
    return found


def shortened(text: str) -> str:
    """A text that fits beside a line of the upper panel."""
    shown = printable(text).strip()
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"


def _smooth(values: list[float]) -> list[float]:
    """An exponential average over about a thirtieth of the curve, a plain mean at its start."""
    smooth, result = 0.0, []
    for number, value in enumerate(values, start=1):
        smooth += max(30 / len(values), 1 / number) * (value - smooth)
        result.append(smooth)
    return result
