"""What every notebook of the lesson needs: to show images, to draw curves, to check answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray
from PIL import Image

COLOURS = ("#3465a4", "#cc5500", "#4e9a06", "#75507b", "#555753")
plt.rcParams.update({"figure.dpi": 80, "axes.spines.top": False, "axes.spines.right": False})


def show(images: ArrayLike, title: str = "", columns: int = 10, inches: float = 0.8) -> None:
    """Show images in [-1, 1]: (N, H, W, C) as Keras has them, or (N, C, H, W) as PyTorch does."""
    shown = channels_last(images)
    columns = min(columns, len(shown))
    rows = -(-len(shown) // columns)
    figure = plt.figure(figsize=(columns * inches, rows * inches + 0.3), layout="constrained")
    for axis, image in zip(figure.subplots(rows, columns, squeeze=False).flat, shown):
        draw(axis, image)
    for axis in figure.axes[len(shown) :]:
        axis.set_axis_off()
    figure.suptitle(title, x=0.0, ha="left", fontsize=10)
    plt.show()


def channels_last(images: ArrayLike) -> NDArray[np.float32]:
    """Images (N, H, W, C), whichever way they came."""
    array = np.asarray(images, np.float32)
    return array.transpose(0, 2, 3, 1) if array.shape[1] in (1, 3) else array


def draw(axis: Axes, image: NDArray[np.float32], title: str = "") -> None:
    """One image (H, W, C) in [-1, 1]."""
    axis.imshow(np.clip((image + 1) / 2, 0, 1).squeeze(), cmap="gray", vmin=0, vmax=1)
    axis.set_title(title, fontsize=9)
    axis.set_axis_off()


def plot(
    curves: Mapping[str, Sequence[float]],
    title: str = "",
    levels: Mapping[str, float] | None = None,
    smoothed: int = 1,
    **axes: Any,
) -> None:
    """Draw curves over steps, each the mean of so many; `levels` are lines to compare with."""
    _, axis = plt.subplots(figsize=(8, 2.6), layout="constrained")
    for (name, values), colour in zip(curves.items(), COLOURS):
        steps, means = running_mean(values, smoothed)
        axis.plot(steps, means, label=name, color=colour, linewidth=1)
    for name, level in (levels or {}).items():
        axis.axhline(level, color="0.6", linestyle=":", linewidth=1)
        axis.annotate(name, (1, level), xycoords=("axes fraction", "data"), fontsize=8)
    axis.set(title=title, xlabel="step", **axes)
    axis.legend(frameon=False, fontsize=8)
    plt.show()


def running_mean(
    values: Sequence[float], width: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means of `width` values, and the step in the middle of each."""
    width = max(1, min(width, len(values)))
    means = np.convolve(np.asarray(values, float), np.ones(width) / width, "valid")
    return np.arange(len(means)) + width / 2, means


@dataclass(frozen=True)
class Answer:
    """What a check says of an answer; shown where it ends a cell."""

    right: bool | None  # None while nothing is answered
    sentence: str

    def _repr_html_(self) -> str:
        colour = {None: "#888888", True: "#4e9a06", False: "#cc0000"}[self.right]
        return f'<b style="color: {colour}">{self.sentence}</b>'

    def __repr__(self) -> str:
        return self.sentence


def check(answer: object, truth: object, because: str) -> Answer:
    """Compare an answer with what the code above has found."""
    if answer is None:
        return Answer(None, "Not answered yet: put your answer into this cell and run it.")
    if answer == truth:
        return Answer(True, f"Right: {because}")
    return Answer(False, f"{answer!r} it is not. Read again what is above, and try once more.")


def table(rows: Sequence[Mapping[str, object]]) -> "Table":
    """Rows with the same columns, as a table."""
    return Table(rows)


@dataclass(frozen=True)
class Table:
    """Shown where it ends a cell."""

    rows: Sequence[Mapping[str, object]]

    def _repr_markdown_(self) -> str:
        heads = [*self.rows[0]]
        lines = [heads, ["---"] * len(heads), *([str(row[h]) for h in heads] for row in self.rows)]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def pixels(image: Image.Image) -> NDArray[np.float32]:
    """An image as an array (H, W, 3) in [0, 1]."""
    return np.asarray(image.convert("RGB"), np.float32) / 255


def row(images: Mapping[str, Any], title: str = "") -> None:
    """Images (1, 3, H, W) in [0, 1] beside each other, with what they are."""
    shown = {name: np.asarray(p.detach())[0].transpose(1, 2, 0) for name, p in images.items()}
    height, width, _ = next(iter(shown.values())).shape
    wide = min(9.0, 3.2 * len(shown))
    figure, axes = plt.subplots(
        1,
        len(shown),
        figsize=(wide, wide / len(shown) * height / width + 0.5),
        squeeze=False,
        layout="constrained",
    )
    for axis, (name, image) in zip(axes[0], shown.items()):
        axis.imshow(np.clip(image, 0, 1))
        axis.set_title(name, fontsize=9)
        axis.set_axis_off()
    figure.suptitle(title, x=0.0, ha="left", fontsize=10)
    plt.show()


def files(paths: Sequence[Path], columns: int = 3) -> None:
    """Images as they lie in files, with their names."""
    columns = min(columns, len(paths))
    rows = -(-len(paths) // columns)
    shown = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    height, width, _ = shown[-1].shape
    wide = 9.0 / columns
    figure = plt.figure(figsize=(9, rows * (wide * height / width + 0.3)), layout="constrained")
    for axis, image, path in zip(figure.subplots(rows, columns, squeeze=False).flat, shown, paths):
        axis.imshow(image)
        axis.set_title(path.name, fontsize=8)
    for axis in figure.axes:
        axis.set_axis_off()
    plt.show()


def scatter(clusters: ArrayLike, moments: Sequence[ArrayLike], title: str) -> None:
    """Points in the plane at several moments, on the clusters where they should be."""
    figure, axes = plt.subplots(
        1, len(moments), figsize=(2.2 * len(moments), 2.6), squeeze=False, layout="constrained"
    )
    for axis, moment in zip(axes[0], moments):
        axis.scatter(*np.asarray(clusters).T, s=120, color="0.85")
        axis.scatter(*np.asarray(moment).T[:, :500], s=2, color=COLOURS[0])
        axis.set(xlim=(-1.6, 1.6), ylim=(-1.6, 1.6), xticks=[], yticks=[], aspect="equal")
    figure.suptitle(title, x=0.0, ha="left", fontsize=10)
    plt.show()
