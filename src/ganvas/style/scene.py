"""The photograph and its styles at any size, and their targets for the network."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from ganvas.pretrained.vgg19 import VGG19
from ganvas.style import losses
from ganvas.style.losses import Moments, StyleDistance
from ganvas.style.masks import Mask
from ganvas.style.objective import Region, Wanted, activations, style_of
from ganvas.style.recipe import Recipe, Stage

STYLE_LOSSES = {"w2": losses.wasserstein, "gram": losses.gram}
LEAST = 16  # pixels of the shorter side, for which conv5_1 has one activation
ALIKE = 0.03  # the smallest distance that counts as 1, as a share of the style's own spread


@dataclass(frozen=True)
class Style:
    """A style image (1, 3, H, W) in [0, 1], its weight among others, and its mask."""

    image: Tensor
    weight: float = 1.0
    mask: Tensor | None = None  # (H, W)


@dataclass(frozen=True)
class Part:
    """A part of the image, and the styles that are blended in it."""

    styles: tuple[Style, ...]
    mask: Tensor | None = None  # (H, W); None: everywhere


@dataclass(frozen=True)
class Scene:
    """A photograph (1, 3, H, W) in [0, 1] and the styles of its parts."""

    content: Tensor
    parts: tuple[Part, ...]
    style_scale: float = 1.0  # size of the style images, as a multiple of the photograph's

    def at(self, size: int) -> "Scene":
        """The scene with this longer side; style images are reduced, but never enlarged."""
        sides = sides_of(self.content, size)
        parts = tuple(
            Part(
                tuple(_style_at(style, round(size * self.style_scale)) for style in part.styles),
                None if part.mask is None else resized_mask(part.mask, sides),
            )
            for part in self.parts
        )
        return replace(self, content=resize(self.content, sides), parts=parts)

    def to(self, device: torch.device) -> "Scene":
        """The scene on another device."""
        parts = tuple(
            Part(
                tuple(
                    replace(s, image=s.image.to(device), mask=_move(s.mask, device))
                    for s in part.styles
                ),
                _move(part.mask, device),
            )
            for part in self.parts
        )
        return replace(self, content=self.content.to(device), parts=parts)

    def wanted(
        self, network: VGG19, recipe: Recipe, stage: Stage, side: int | None = None
    ) -> Wanted:
        """The targets for an image of exactly this size."""
        content = activations(network, self.content, recipe.content_layers, side)
        regions = (
            _region(network, self.content, part, recipe, stage, side)
            for part in self.parts
            if stage.style
        )
        return Wanted(
            content if stage.content else {},
            {
                layer: stage.content * share * _content_unit(recipe, content[layer])
                for layer, share in recipe.content_layers.items()
            },
            tuple(regions),
        )


def _region(
    network: VGG19, content: Tensor, part: Part, recipe: Recipe, stage: Stage, side: int | None
) -> Region:
    mask = None if part.mask is None else Mask(part.mask)
    layers = list(recipe.style_layers)
    styles = [
        style_of(network, s.image, layers, side, None if s.mask is None else Mask(s.mask))
        for s in part.styles
    ]
    before = style_of(network, content, layers, side, mask)
    shares = [s.weight for s in part.styles]
    total = sum(recipe.style_layers.values()) if recipe.units == "relative" else 1.0
    return Region(
        {
            layer: _weigh(
                losses.blend([style[layer] for style in styles], shares),
                before[layer],
                recipe,
                stage.style * recipe.style_layers[layer] / total,
            )
            for layer in layers
        },
        mask,
    )


def _weigh(target: Moments, before: Moments, recipe: Recipe, weight: float) -> StyleDistance:
    distance = STYLE_LOSSES[recipe.style_loss](target)
    if recipe.units == "relative":
        # If the photograph is already like its style, the weight must stay bounded.
        spread = distance(Moments(torch.zeros_like(target.mean), torch.zeros_like(target.second)))
        weight = weight / max(float(distance(before)), ALIKE * float(spread))
    return lambda found: weight * distance(found)


def _content_unit(recipe: Recipe, target: Tensor) -> float:
    if recipe.units == "means":
        return 1.0
    return 1 / max(float(target.float().var()), losses.TINY)


def sides_of(image: Tensor, size: int) -> tuple[int, int]:
    """Height and width to stylize an image (..., H, W) at when its longer side is `size`."""
    height, width = proportions_of(image, size)
    return max(LEAST, height), max(LEAST, width)


def proportions_of(image: Tensor, size: int) -> tuple[int, int]:
    """Height and width as in `sides_of`, without the network's minimum: the shape is kept."""
    height, width = image.shape[-2:]
    scale = size / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def resize(image: Tensor, sides: tuple[int, int]) -> Tensor:
    """An image (1, C, H, W) in [0, 1] at another size, without aliasing."""
    if tuple(image.shape[2:]) == sides:
        return image.clone()
    return F.interpolate(image, sides, mode="bicubic", antialias=True).clamp_(0, 1)


def resized_mask(mask: Tensor, sides: tuple[int, int]) -> Tensor:
    """Weights (H, W) at another size."""
    return F.interpolate(mask[None, None], sides, mode="bilinear", antialias=True)[0, 0]


def _move(mask: Tensor | None, device: torch.device) -> Tensor | None:
    return None if mask is None else mask.to(device)


def _style_at(style: Style, size: int) -> Style:
    size = min(size, max(style.image.shape[2:]))
    sides = sides_of(style.image, size)
    mask = None if style.mask is None else resized_mask(style.mask, sides)
    return replace(style, image=resize(style.image, sides), mask=mask)
