"""A style transfer so small that its three losses can be watched while weights are changed.

The lesson's losses, layers and optimiser at 96 pixels, for the photograph and the painting that
come with ganvas. It is the engine of `ganvas style` itself, one stage of its `lesson` preset.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import torch

from ganvas.pretrained.examples import example
from ganvas.pretrained.vgg19 import VGG19
from ganvas.runtime.validation import SettingsError
from ganvas.style.optimization import Canvas, optimize
from ganvas.style.presets import PRESETS
from ganvas.style.recipe import Stage
from ganvas.style.scene import Part, Scene, Style

PICTURES = {"photograph": "moose", "painting": "night_cafe"}
SIDE = 96  # pixels of the longer side
ITERATIONS = 200
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Weights:
    """Weights of the three losses, and what the image is before the first iteration."""

    content: float = 1.0
    style: float = 1.0
    variation: float = 10.0
    start: Literal["noise", "content"] = "noise"


def transfer(weights: Weights) -> Iterator[Canvas]:
    """Yield the image after every iteration; raises SettingsError when nothing has a weight."""
    if not weights.content + weights.style + weights.variation > 0:
        raise SettingsError("all three weights are 0; give one of the losses a weight.")
    stage = Stage(weights.content, weights.style, weights.variation, weights.start)
    recipe = replace(PRESETS["lesson"].recipe, stages=(stage,), iterations=ITERATIONS)
    return _in_turn(optimize(_network(), _scene(), recipe))


def _in_turn(canvases: Iterator[Canvas]) -> Iterator[Canvas]:
    """One iteration at a time in this process, however many tabs watch one."""
    while True:
        with _one_at_a_time, torch.inference_mode(False):
            canvas = next(canvases, None)
        if canvas is None:
            return
        yield canvas


@cache
def _network() -> VGG19:
    recipe = PRESETS["lesson"].recipe
    return VGG19.load(recipe.pooling, torch.float32, torch.device("cpu"), recipe.unit_layers)


@cache
def _scene() -> Scene:
    content, painting = (example(name, SIDE) for name in PICTURES.values())
    return Scene(content, (Part((Style(painting),)),))
