"""Train generative image models on your own pictures, on the machine that you have.

for event in ganvas.train("pictures/", out="run", budget="10m"): ...
pictures = ganvas.load("run").sample(16, seed=0)      # (16, C, H, W) in [-1, 1]
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from ganvas.latent.painter import load
    from ganvas.run import train

_PUBLIC = {"train": "run", "load": "latent.painter"}

__all__ = ["__version__", "load", "train"]


def __getattr__(name: str) -> object:
    # Imported when asked for: `ganvas --help` must not wait for torch.
    if name in _PUBLIC:
        return getattr(import_module(f".{_PUBLIC[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
