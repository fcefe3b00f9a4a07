"""How far a picture is from what is wanted, and the direction in which it comes nearer.

Style is a function of moments, and moments are means over positions. So the slope at an activation
f is (g + 2 G f) / N, with the slopes g and G at mean and second moment and N positions: once the
moments are known, nothing has to remember how they came about. A large picture is therefore seen
block by block, first for its moments and then for its gradient.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.style.features import VGG19, stride
from ganvas.style.losses import Moments, moments
from ganvas.style.tiles import Block, blocks

StyleLoss = Callable[[Moments, Moments], Tensor]


@dataclass(frozen=True)
class Wanted:
    """Activations and moments to come near to, by layer, and what each layer counts."""

    content: Mapping[str, Tensor]
    content_weights: Mapping[str, float]
    style: Mapping[str, Moments]
    style_weights: Mapping[str, float]
    style_loss: StyleLoss

    @property
    def layers(self) -> set[str]:
        """Every layer that has to be seen."""
        return {*self.content, *self.style}


@dataclass(frozen=True)
class Distance:
    """Losses of a picture, weighted, and the gradient of their sum at its pixels."""

    content: float
    style: float
    gradient: Tensor


def activations(
    network: VGG19, picture: Tensor, layers: Collection[str], side: int
) -> dict[str, Tensor]:
    """Activations of a whole picture (1, 3, H, W) seen in blocks of `side` pixels."""
    height, width = picture.shape[2:]
    whole: dict[str, Tensor] = {}
    with torch.no_grad():
        for block in blocks(height, width, side):
            for layer, part in _own(block, _look(network, picture, block, layers)[1]).items():
                sides = height // stride(layer), width // stride(layer)
                empty = part.new_empty((1, part.shape[1], *sides))
                whole.setdefault(layer, empty)[(..., *block.place(stride(layer)))] = part
    return whole


def style_of(
    network: VGG19, picture: Tensor, layers: Collection[str], side: int
) -> dict[str, Moments]:
    """Moments of a whole picture (1, 3, H, W), whose activations are forgotten block by block."""
    with torch.no_grad():
        todo = blocks(picture.shape[2], picture.shape[3], side)
        return _pooled(_own(b, _look(network, picture, b, layers)[1]) for b in todo)


def distance(network: VGG19, picture: Tensor, wanted: Wanted, side: int) -> Distance:
    """Losses and gradient of a picture (1, 3, H, W) seen in blocks of `side` pixels."""
    todo = list(blocks(picture.shape[2], picture.shape[3], side))
    at_once = _look(network, picture, todo[0], wanted.layers) if len(todo) == 1 else None
    if at_once:
        with torch.no_grad():
            found = _pooled([_own(todo[0], at_once[1], wanted.style)])
    else:
        found = style_of(network, picture, wanted.style, side)
    style, slopes = _slopes(found, wanted)
    content, gradient = 0.0, torch.zeros_like(picture)
    sides = picture.shape[2], picture.shape[3]
    for block in todo:
        pixels, seen = at_once or _look(network, picture, block, wanted.layers)
        content += _pull(block, seen, slopes, wanted, sides)
        assert pixels.grad is not None
        gradient[(..., *block.window)] += pixels.grad
    return Distance(content, style, gradient)


def _look(
    network: VGG19, picture: Tensor, block: Block, layers: Collection[str]
) -> tuple[Tensor, dict[str, Tensor]]:
    """Pixels of a block's window, and the activations that they lead to."""
    pixels = picture[(..., *block.window)].detach().requires_grad_(torch.is_grad_enabled())
    return pixels, network(pixels, layers)


def _own(
    block: Block, seen: Mapping[str, Tensor], layers: Collection[str] | None = None
) -> dict[str, Tensor]:
    chosen = seen if layers is None else layers
    return {layer: seen[layer][(..., *block.own(stride(layer)))] for layer in chosen}


def _pooled(parts: Iterable[Mapping[str, Tensor]]) -> dict[str, Moments]:
    """Moments over all parts, each of which counts by its number of positions."""
    sums: dict[str, tuple[float, Tensor, Tensor]] = {}
    for part in parts:
        for layer, own in part.items():
            here, count = moments(own), own.shape[2] * own.shape[3]
            before, mean, second = sums.get(layer, (0.0, torch.zeros(()), torch.zeros(())))
            sums[layer] = before + count, mean + count * here.mean, second + count * here.second
    return {layer: Moments(mean / n, second / n) for layer, (n, mean, second) in sums.items()}


def _slopes(found: Mapping[str, Moments], wanted: Wanted) -> tuple[float, dict[str, Moments]]:
    """The style loss, and its slopes at the moments of every layer."""
    total, slopes = 0.0, {}
    for layer, target in wanted.style.items():
        mean, second = (
            t.detach().requires_grad_() for t in (found[layer].mean, found[layer].second)
        )
        loss = wanted.style_weights[layer] * wanted.style_loss(Moments(mean, second), target)
        slopes[layer] = Moments(*torch.autograd.grad(loss, (mean, second), materialize_grads=True))
        total += float(loss.detach())
    return total, slopes


def _pull(
    block: Block,
    seen: Mapping[str, Tensor],
    slopes: Mapping[str, Moments],
    wanted: Wanted,
    sides: tuple[int, int],
) -> float:
    """Send the slopes at this block's activations back to its pixels; its share of content."""
    content, outputs, gradients = 0.0, [], []
    for layer, activation in seen.items():
        step = stride(layer)
        own, positions = block.own(step), (sides[0] // step) * (sides[1] // step)
        here = activation.detach()[(..., *own)].float()
        slope = torch.zeros_like(here)
        if layer in slopes:
            slope += _style_slope(here, slopes[layer]) / positions
        if layer in wanted.content:
            apart = here - wanted.content[layer][(..., *block.place(step))].float()
            weight = wanted.content_weights[layer] / (positions * here.shape[1])
            content += weight * float(apart.square().sum())
            slope += 2 * weight * apart
        gradient = torch.zeros_like(activation)
        gradient[(..., *own)] = slope.to(activation.dtype)
        outputs.append(activation)
        gradients.append(gradient)
    torch.autograd.backward(outputs, gradients)
    return content


def _style_slope(here: Tensor, slope: Moments) -> Tensor:
    """(g + (G + G^T) f) at every position of activations f (1, C, H, W)."""
    both = slope.second + slope.second.T
    return (both @ here.flatten(2)[0]).view_as(here) + slope.mean[None, :, None, None]
