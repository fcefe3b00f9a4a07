"""Train generative image models on your own images, and repaint images in a style.

for event in ganvas.train("images/", out="run", budget="10m"): ...
images = ganvas.load("run").sample(16, seed=0)      # (16, C, H, W) in [-1, 1]
for event in ganvas.evaluate("run"): ...    # the last holds the report
for event in ganvas.stylize("photo.jpg", "painting.jpg"): ...    # the last holds the image
arrays = ganvas.images("images/", size="64")      # (N, H, W, C) in [-1, 1]
"""

import concurrent.futures.thread  # noqa: F401  torch needs it, and it cannot be imported at exit
from importlib import import_module
from typing import TYPE_CHECKING
from warnings import warn

__version__ = "0.1.0"

if TYPE_CHECKING:
    from ganvas.data.arrays import images
    from ganvas.generate.pipeline import load
    from ganvas.runs.evaluate import evaluate
    from ganvas.runs.train import train
    from ganvas.style.stylize import stylize

_PUBLIC = {
    "train": "runs.train",
    "load": "generate.pipeline",
    "evaluate": "runs.evaluate",
    "stylize": "style.stylize",
    "images": "data.arrays",
}

__all__ = ["__version__", "evaluate", "images", "load", "stylize", "train"]


_RENAMED = {"pictures": "images"}  # old names, still accepted


def __getattr__(name: str) -> object:
    # Imported when asked for: `ganvas --help` must not wait for torch.
    if name in _RENAMED:
        warn(f"ganvas.{name} is called ganvas.{_RENAMED[name]} now", DeprecationWarning, 2)
        name = _RENAMED[name]
    if name in _PUBLIC:
        return getattr(import_module(f".{_PUBLIC[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
