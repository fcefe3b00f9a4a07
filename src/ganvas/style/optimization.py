"""Optimise an image, coarse to fine, towards the target activations.

Gatys et al. (2016) optimise one image at full size. Here the image is first stylized small, where
iterations are cheap and brush strokes can be as large as the network's receptive field, and is then
enlarged by the square root of 2 at a time, as in K. Crowson's style-transfer-pytorch: Adam keeps
its moments from size to size, and the result of a size is the average of its last images."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import floor, isfinite, log2, sqrt

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim import LBFGS, Adam, Optimizer

from ganvas.errors import GanvasError
from ganvas.pretrained.vgg19 import VGG19
from ganvas.runtime.allocation import memory_kept
from ganvas.style import losses
from ganvas.style.objective import Wanted, distance
from ganvas.style.recipe import Recipe, Stage
from ganvas.style.scene import Scene, resize, sides_of

GROWTH = sqrt(2)
HISTORY = 10  # steps that L-BFGS remembers


class StyleError(GanvasError, RuntimeError):
    """The losses or the image are no longer finite."""


@dataclass(frozen=True)
class Canvas:
    """The image after an iteration, and its weighted losses."""

    stage: int  # from 1
    iteration: int  # of all stages and sizes, from 1
    content: float
    style: float
    variation: float
    image: Tensor  # (1, 3, H, W) in [0, 1]


def sizes(recipe: Recipe, longer_side: int) -> list[int]:
    """Longer sides to stylize at, ascending; the last is exactly `longer_side`."""
    if not recipe.smallest or longer_side < recipe.smallest:
        return [longer_side]
    steps = floor(2 * log2(longer_side / recipe.smallest) + 1e-9)
    return [round(longer_side / GROWTH**step) for step in range(steps, -1, -1)]


def iterations(recipe: Recipe, size: int) -> int:
    """The number of iterations at this size: fewer at larger, more expensive sizes."""
    if not recipe.smallest:
        return recipe.iterations
    fewest = min(recipe.fewest, recipe.iterations)  # as somebody who asks for very few wants it
    return max(fewest, round(recipe.iterations * recipe.smallest / size))


# Content, style and variation, each with its weight.
Losses = tuple[float, float, float]
Start = Callable[[Tensor, torch.Generator], Tensor]

# From the photograph (1, 3, H, W) and a random stream to the image before the first iteration.
STARTS: dict[str, Start] = {
    "content": lambda content, stream: content.clone(),
    "noise": lambda content, stream: torch.rand(content.shape, generator=stream).to(content),
    "gray": lambda content, stream: torch.full_like(content, 0.5),
    # The lesson's third stage: the photograph, darkened, under noise.
    "veiled": lambda content, stream: (
        content + torch.randn(content.shape, generator=stream).to(content) * 0.3 - 0.3
    ).clamp(0, 1),
}


def optimize(
    network: VGG19, scene: Scene, recipe: Recipe, seed: int = 0, side: int | None = None
) -> Iterator[Canvas]:
    """Yield the image after every iteration of every stage and size.

    Images are processed in blocks of `side` pixels; None chooses a side that fits memory. Raises
    StyleError when the losses are no longer finite.
    """
    count = 0
    for number, stage in enumerate(recipe.stages, 1):
        for found, image in _iterations(network, scene, recipe, stage, seed, side):
            count += 1
            yield Canvas(number, count, *found, image)


def _iterations(
    network: VGG19, scene: Scene, recipe: Recipe, stage: Stage, seed: int, side: int | None
) -> Iterator[tuple[Losses, Tensor]]:
    """One stage, from size to size."""
    canvas: Tensor | None = None
    adam: Adam | None = None
    for size in sizes(recipe, max(scene.content.shape[2:])):
        here = scene.at(size)
        goal = here.wanted(network, recipe, stage, side)
        if canvas is None:
            canvas = STARTS[stage.start](here.content, torch.Generator().manual_seed(seed))
        else:
            canvas = resize(canvas, sides_of(scene.content, size))
        mover = _Mover(canvas, recipe, adam)
        see = partial(_distance, network, goal, stage, recipe, side)
        with memory_kept():  # but not from size to size: blocks of another size leave gaps
            for _ in range(iterations(recipe, size)):
                yield mover.move(see), mover.image
        canvas, adam = mover.image, mover.adam


class _Mover:
    """Optimises a canvas and keeps an exponential moving average of it."""

    def __init__(self, canvas: Tensor, recipe: Recipe, before: Adam | None) -> None:
        self.canvas, self.recipe = canvas, recipe
        self.optimiser: Optimizer
        self.adam: Adam | None = None
        if recipe.optimiser == "adam":
            self.optimiser = self.adam = _carry(before, canvas, recipe)
        else:
            # One evaluation a step, whose length follows from the curvature: no line search.
            self.optimiser = LBFGS(
                [canvas], 1.0, 1, history_size=HISTORY, tolerance_grad=0, tolerance_change=0
            )
        self.average, self.kept = torch.zeros_like(canvas), 0.0

    @property
    def image(self) -> Tensor:
        """The moving average of the last images."""
        return (self.average / self.kept).clamp_(0, 1)

    def move(self, see: Callable[[Tensor], tuple[Losses, Tensor]]) -> Losses:
        """Take one step along the gradient from `see`; return the losses before it."""
        seen: list[Losses] = []

        def closure() -> float:
            found, self.canvas.grad = see(self.canvas)
            seen.append(found)
            return sum(found)

        self.optimiser.step(closure)
        if not isfinite(sum(seen[-1])) or not torch.isfinite(self.canvas).all():
            raise StyleError(
                "style transfer diverged: its losses are no longer finite; try --precision fp32."
            )
        if self.recipe.clamp and self.adam:  # L-BFGS would mistake clamping for curvature
            self.canvas.clamp_(0, 1)
        self.average.lerp_(self.canvas, 1 - self.recipe.averaging)
        self.kept = 1 - (1 - self.kept) * self.recipe.averaging
        return seen[-1]


@torch.enable_grad()
def _distance(
    network: VGG19, goal: Wanted, stage: Stage, recipe: Recipe, side: int | None, canvas: Tensor
) -> tuple[Losses, Tensor]:
    found = distance(network, canvas, goal, side)
    variation, gradient = 0.0, found.gradient
    if stage.variation:
        leaf = canvas.detach().requires_grad_()
        for term in losses.variation(leaf):
            loss = stage.variation * term
            gradient += torch.autograd.grad(loss, leaf)[0]
            variation += float(loss.detach())
    return (found.content, found.style, variation), gradient


def _carry(before: Adam | None, canvas: Tensor, recipe: Recipe) -> Adam:
    """An Adam optimiser for this canvas, with the resized moments of the one before it."""
    adam = Adam([canvas], recipe.rate, recipe.betas, recipe.epsilon)
    if before is not None:
        (old,) = before.state.values()
        sides = canvas.shape[2:]
        adam.state[canvas] = {
            "step": old["step"],
            "exp_avg": F.interpolate(old["exp_avg"], sides, mode="bicubic"),
            "exp_avg_sq": F.interpolate(old["exp_avg_sq"], sides, mode="bilinear"),
        }
    return adam
