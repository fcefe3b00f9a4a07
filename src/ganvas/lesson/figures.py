"""Figures of the notebooks: images in rows, curves, points. They suit light and dark pages."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray
from PIL import Image

COLOURS = ("#4a86c5", "#e07020", "#5a9e1f", "#9a6fa0", "#8a8a80")
INK = "#808080"  # of axes and titles: four to one against white, and against a dark page
plt.rcParams.update(
    {
        "figure.dpi": 80,
        "figure.facecolor": "none",  # the page shows through, whatever its colour
        "savefig.facecolor": "none",
        "axes.facecolor": "none",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "legend.labelcolor": INK,
        **dict.fromkeys(("axes.edgecolor", "axes.labelcolor", "text.color"), INK),
        **dict.fromkeys(("xtick.color", "ytick.color"), INK),
    }
)


def show(images: ArrayLike, title: str = "", columns: int = 10, inches: float = 0.8) -> None:
    """Show images in [-1, 1]: (N, H, W, C) as Keras has them, or (N, C, H, W) as PyTorch does."""
    shown = channels_last(images)
    columns = min(columns, len(shown))
    rows = -(-len(shown) // columns)
    figure = plt.figure(figsize=(columns * inches, rows * inches + 0.3), layout="constrained")
    for axis, image in zip(figure.subplots(rows, columns, squeeze=False).flat, shown, strict=False):
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
    ylim: tuple[float, float] | None = None,
    yscale: str = "linear",
) -> None:
    """Draw curves over steps, each the mean of so many; `levels` are lines to compare with."""
    _, axis = plt.subplots(figsize=(8, 2.6), layout="constrained")
    for (name, values), colour in zip(curves.items(), COLOURS, strict=False):
        steps, means = running_mean(values, smoothed)
        axis.plot(steps, means, label=name, color=colour, linewidth=1)
    for name, level in (levels or {}).items():
        axis.axhline(level, color=INK, linestyle=":", linewidth=1)
        axis.annotate(name, (1, level), xycoords=("axes fraction", "data"), fontsize=8)
    axis.set(title=title, xlabel="step", yscale=yscale)
    if ylim is not None:  # limits of None would fix those of a linear scale
        axis.set_ylim(*ylim)
    axis.legend(frameon=False, fontsize=8)
    plt.show()


def running_mean(
    values: Sequence[float], width: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means of `width` values, and the step in the middle of each."""
    width = max(1, min(width, len(values)))
    means = np.convolve(np.asarray(values, np.float64), np.ones(width) / width, "valid")
    middles = np.arange(len(means)) + width / 2
    return middles.astype(np.float64), means.astype(np.float64)


def pixels(image: Image.Image) -> NDArray[np.float32]:
    """An image as an array (H, W, 3) in [0, 1]."""
    return np.asarray(image.convert("RGB"), np.float32) / np.float32(255)


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
    for axis, (name, image) in zip(axes[0], shown.items(), strict=True):
        axis.imshow(np.clip(image, 0, 1))
        axis.set_title(name, fontsize=9)
        axis.set_axis_off()
    figure.suptitle(title, x=0.0, ha="left", fontsize=10)
    plt.show()


def files(paths: Sequence[Path], columns: int = 3) -> None:
    """Images as they lie in files, with their names."""
    columns = min(columns, len(paths))
    rows = -(-len(paths) // columns)
    shown = [np.asarray(Image.open(path).convert("RGBA")) for path in paths]
    height, width, _ = shown[-1].shape
    wide = 9.0 / columns
    figure = plt.figure(figsize=(9, rows * (wide * height / width + 0.3)), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).flat
    for axis, image, path in zip(axes, shown, paths, strict=False):
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
    for axis, moment in zip(axes[0], moments, strict=True):
        axis.scatter(*np.asarray(clusters).T, s=120, color=INK, alpha=0.35)
        axis.scatter(*np.asarray(moment).T[:, :500], s=2, color=COLOURS[0])
        axis.set(xlim=(-1.6, 1.6), ylim=(-1.6, 1.6), xticks=[], yticks=[], aspect="equal")
    figure.suptitle(title, x=0.0, ha="left", fontsize=10)
    plt.show()
