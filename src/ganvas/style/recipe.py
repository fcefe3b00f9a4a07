"""The recipe of a style transfer: loss weights, layers, iterations and the optimiser."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from ganvas.pretrained.vgg19 import Pooling

StartName = Literal["content", "noise", "gray", "veiled"]
OptimiserName = Literal["adam", "lbfgs"]
StyleLossName = Literal["w2", "gram"]
Units = Literal["relative", "means"]

EVERY_SCALE = MappingProxyType(
    {"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 1.0, "relu4_1": 1.0, "relu5_1": 1.0}
)
OBJECTS = MappingProxyType({"relu4_2": 1.0})


@dataclass(frozen=True)
class Stage:
    """Weights of the three losses, and the image before the first iteration."""

    content: float
    style: float
    variation: float
    start: StartName = "content"


@dataclass(frozen=True)
class Recipe:
    """All settings of one style transfer but the images.

    Units of the weights: `relative` losses are 1 for an image that has nothing in common with the
    photograph (content), or is the photograph itself (style), whatever the images, the layers and
    their size. `means` are plain mean squares.
    """

    stages: tuple[Stage, ...]
    iterations: int  # at the smallest size; fewer in proportion at larger ones
    fewest: int = 1  # at any size
    smallest: int | None = None  # longer side to begin with, in pixels; None: the final one
    units: Units = "relative"
    style_loss: StyleLossName = "w2"
    content_layers: Mapping[str, float] = field(default_factory=lambda: OBJECTS)
    style_layers: Mapping[str, float] = field(default_factory=lambda: EVERY_SCALE)
    pooling: Pooling = "max"
    unit_layers: bool = True  # whether each layer is rescaled to a mean activation of 1
    optimiser: OptimiserName = "adam"
    rate: float = 0.04
    betas: tuple[float, float] = (0.9, 0.99)
    epsilon: float = 1e-8
    averaging: float = 0.9  # decay of the moving average of images
    clamp: bool = True  # to [0, 1] after each iteration
