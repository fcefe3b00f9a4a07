"""The style-transfer losses of an image and their gradient, computed block by block.

The style loss is a function of moments, and moments are sums over positions. So the gradient at an
activation f is p (g + 2 G f), with the gradients g and G at mean and second moment and the share p
of its position: once the moments are known, the graph that led to them is not needed. A large image
is therefore processed block by block, first for its moments and then for its gradient."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.pretrained.vgg19 import VGG19, stride
from ganvas.style import losses
from ganvas.style.losses import Moments, StyleDistance, moments
from ganvas.style.masks import Mask
from ganvas.style.tiles import Block, blocks


@dataclass(frozen=True)
class Region:
    """A part of the image, and for every layer the distance of its moments from the style."""

    style: Mapping[str, StyleDistance]
    mask: Mask | None = None  # everywhere


@dataclass(frozen=True)
class Wanted:
    """The targets: content activations by layer with their weights, and styles by region."""

    content: Mapping[str, Tensor]
    content_weights: Mapping[str, float]
    regions: tuple[Region, ...]

    @property
    def style_layers(self) -> set[str]:
        """Every layer with a style loss."""
        return {layer for region in self.regions for layer in region.style}


@dataclass(frozen=True)
class Pull:
    """The weighted style loss, and for every region its gradients at the moments of each layer."""

    style: float
    gradients: list[dict[str, Moments]]


@dataclass(frozen=True)
class Distance:
    """Weighted losses of an image, and the gradient of their sum with respect to its pixels."""

    content: float
    style: float
    gradient: Tensor


def activations(
    network: VGG19, image: Tensor, layers: Collection[str], side: int | None
) -> dict[str, Tensor]:
    """Activations of a whole image (1, 3, H, W), computed in blocks of `side` pixels."""
    height, width = image.shape[2:]
    whole: dict[str, Tensor] = {}
    with torch.no_grad():
        for block in blocks(height, width, side) if layers else ():
            for layer, seen in _look(network, image, block, layers)[1].items():
                step = stride(layer)
                if layer not in whole:
                    size = (1, seen.shape[1], height // step, width // step)
                    whole[layer] = torch.empty(
                        size,
                        dtype=seen.dtype,
                        device=seen.device,
                        memory_format=torch.channels_last,
                    )
                whole[layer][(..., *block.place(step))] = seen[(..., *block.own(step))]
    return whole


def style_of(
    network: VGG19,
    image: Tensor,
    layers: Collection[str],
    side: int | None,
    mask: Mask | None = None,
) -> dict[str, Moments]:
    """Moments of an image (1, 3, H, W) within the mask; activations are dropped block by block."""
    return _moments(network, image, layers, side, [mask])[0]


@torch.enable_grad()  # the caller may have switched gradients off
def distance(network: VGG19, image: Tensor, wanted: Wanted, side: int | None = None) -> Distance:
    """Losses and gradient of an image (1, 3, H, W), computed in blocks of `side` pixels."""
    sides = image.shape[2], image.shape[3]
    todo = list(blocks(*sides, side))
    layers = wanted.style_layers | set(wanted.content)
    # A single block needs one forward pass for both its moments and its gradient.
    at_once = _look(network, image, todo[0], layers) if len(todo) == 1 else None
    masks = [region.mask for region in wanted.regions]
    if at_once:
        seen = {layer: at_once[1][layer].detach() for layer in wanted.style_layers}
        found = _pool([(todo[0], seen)], masks)
    else:
        found = _moments(network, image, wanted.style_layers, side, masks)
    pull = _pull(found, wanted.regions)
    content, gradient = 0.0, torch.zeros_like(image)
    for block in todo:
        pixels, seen = at_once or _look(network, image, block, layers)
        content += _send_back(block, seen, pull, wanted, sides)
        assert pixels.grad is not None
        gradient[(..., *block.window)] += pixels.grad
    return Distance(content, pull.style, gradient)


def _look(
    network: VGG19, image: Tensor, block: Block, layers: Collection[str]
) -> tuple[Tensor, dict[str, Tensor]]:
    """Pixels of a block's window, and their activations."""
    pixels = image[(..., *block.window)].detach().requires_grad_(torch.is_grad_enabled())
    return pixels, network(pixels, layers)


def _flat(activation: Tensor) -> Tensor:
    """Activations (1, C, H, W) as positions (H W, C): a view if nothing is cropped."""
    return activation.permute(0, 2, 3, 1).flatten(0, 2)


def _moments(
    network: VGG19,
    image: Tensor,
    layers: Collection[str],
    side: int | None,
    masks: list[Mask | None],
) -> list[dict[str, Moments]]:
    with torch.no_grad():
        todo = blocks(image.shape[2], image.shape[3], side)
        return _pool(((b, _look(network, image, b, layers)[1]) for b in todo), masks)


def _pool(
    parts: Iterable[tuple[Block, Mapping[str, Tensor]]], masks: list[Mask | None]
) -> list[dict[str, Moments]]:
    """For every mask the moments over all blocks, each weighted by its share of the mask."""
    sums: list[dict[str, Moments]] = [{} for _ in masks]
    counts: list[dict[str, float]] = [{} for _ in masks]
    for block, seen in parts:
        for layer, activation in seen.items():
            flat = _flat(activation[(..., *block.own(stride(layer)))])
            for mask, total, count in zip(masks, sums, counts, strict=True):
                weights = None if mask is None else mask.at(layer, block).flatten()
                here = float(len(flat) if weights is None else weights.sum())
                if here == 0:
                    continue
                found, before = moments(flat, weights), count.get(layer, 0.0)
                share = here / (before + here)
                total[layer] = total[layer].towards(found, share) if before else found
                count[layer] = before + here
    return sums


def _pull(found: list[dict[str, Moments]], regions: tuple[Region, ...]) -> Pull:
    total, gradients = 0.0, list[dict[str, Moments]]()
    for moments_here, region in zip(found, regions, strict=True):
        share = 1.0 if region.mask is None else region.mask.share
        gradients.append({})
        for layer, distance_to in region.style.items():
            mean, second = (
                part.detach().requires_grad_()
                for part in (moments_here[layer].mean, moments_here[layer].second)
            )
            loss = share * distance_to(Moments(mean, second))
            parts = torch.autograd.grad(loss, (mean, second), materialize_grads=True)
            gradients[-1][layer] = Moments(*parts)
            total += float(loss.detach())
    return Pull(total, gradients)


def _send_back(
    block: Block,
    seen: Mapping[str, Tensor],
    pull: Pull,
    wanted: Wanted,
    sides: tuple[int, int],
) -> float:
    """Backpropagate this block's gradients to its pixels; return its part of the content loss."""
    content, outputs, gradients = 0.0, [], []
    for layer, activation in seen.items():
        step = stride(layer)
        own, positions = block.own(step), (sides[0] // step) * (sides[1] // step)
        here = _flat(activation.detach()[(..., *own)])
        gradient: Tensor | None = None
        for region, of_layer in zip(wanted.regions, pull.gradients, strict=True):
            if layer in of_layer:
                part = _style_gradient(here, of_layer[layer], positions)
                if region.mask is not None:
                    at = region.mask.at(layer, block).flatten()[:, None]
                    part *= at * (positions / region.mask.total(layer))
                gradient = part if gradient is None else gradient.add_(part)
        if layer in wanted.content:
            target = _flat(wanted.content[layer][(..., *block.place(step))])
            loss, part = losses.content(here, target)
            weight = wanted.content_weights[layer] / (positions * here.shape[1])
            content += weight * float(loss)
            gradient = part.mul_(weight) if gradient is None else gradient.add_(part, alpha=weight)
        assert gradient is not None, "a layer is looked at for a reason"
        outputs.append(activation)
        gradients.append(_place(gradient.to(activation.dtype), activation, own))
    torch.autograd.backward(outputs, gradients)
    return content


def _style_gradient(here: Tensor, gradient: Moments, positions: int) -> Tensor:
    """(g + (G + G^T) f) / N at every position of activations f (P, C), in their precision."""
    both = (gradient.second + gradient.second.T) / positions
    return torch.addmm((gradient.mean / positions).to(here.dtype), here, both.to(here.dtype))


def _place(gradient: Tensor, activation: Tensor, own: tuple[slice, slice]) -> Tensor:
    """Gradients (P, C) of a block's own activations, padded with 0 to its whole window."""
    rows, columns = (part.stop - part.start for part in own)
    inner = gradient.view(1, rows, columns, -1).permute(0, 3, 1, 2)
    if inner.shape == activation.shape:
        return inner
    whole = torch.zeros_like(activation)
    whole[(..., *own)] = inner
    return whole
