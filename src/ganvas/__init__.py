"""Train generative image models on your own pictures, and repaint pictures in a style.

for event in ganvas.train("pictures/", out="run", budget="10m"): ...
pictures = ganvas.load("run").sample(16, seed=0)      # (16, C, H, W) in [-1, 1]
for event in ganvas.evaluate("run"): ...    # the last holds the report
for event in ganvas.stylize("photo.jpg", "painting.jpg"): ...    # the last holds the picture
arrays = ganvas.pictures("pictures/", size="64")      # (N, H, W, C) in [-1, 1]
"""

import concurrent.futures.thread  # noqa: F401  torch needs it, and it cannot be had while Python ends
from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from ganvas.data.arrays import pictures
    from ganvas.generate.pipeline import load
    from ganvas.runs.evaluate import evaluate
    from ganvas.runs.train import train
    from ganvas.style.stylize import stylize

_PUBLIC = {
    "train": "runs.train",
    "load": "generate.pipeline",
    "evaluate": "runs.evaluate",
    "stylize": "style.stylize",
    "pictures": "data.arrays",
}

__all__ = ["__version__", "evaluate", "load", "pictures", "stylize", "train"]


def __getattr__(name: str) -> object:
    # Imported when asked for: `ganvas --help` must not wait for torch.
    if name in _PUBLIC:
        return getattr(import_module(f".{_PUBLIC[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
