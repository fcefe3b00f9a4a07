"""Who stylizes for comparison: each a generator of images as they stand, (1, 3, H, W) in [0, 1]."""

from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

import ganvas
from ganvas.events import StyleIteration
from ganvas.pretrained.vgg19 import VGG19
from ganvas.style import losses

STYLE = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT = "relu4_2"

# Photograph and painting (1, 3, H, W) to images, one an iteration.
Stylizer = Callable[[Tensor, Tensor], Iterator[Tensor]]


def tutorial(photograph: Tensor, painting: Tensor) -> Iterator[Tensor]:
    """Gram matrices, Adam from the photograph at one size, fp32: 500 iterations as tutorials do."""
    network = VGG19.load()

    def gram(activations: Tensor) -> Tensor:
        flat = activations.flatten(2)[0]
        return flat @ flat.T / flat.shape[1]

    with torch.no_grad():
        content = network(photograph, [CONTENT])[CONTENT]
        style = {layer: gram(a) for layer, a in network(painting, STYLE).items()}
    image = photograph.clone().requires_grad_()
    adam = torch.optim.Adam([image], lr=0.02)
    for _ in range(500):
        adam.zero_grad()
        seen = network(image, [*STYLE, CONTENT])
        loss = F.mse_loss(seen[CONTENT], content)
        for layer in STYLE:
            loss = loss + 50 * F.mse_loss(gram(seen[layer]), style[layer])
        loss.backward()  # type: ignore[no-untyped-call]  # torch
        adam.step()
        with torch.no_grad():
            image.clamp_(0, 1)
        yield image.detach().clone()


def trial(photograph: Tensor, painting: Tensor) -> Iterator[Tensor]:
    """The measured starting point, rebuilt from its description: 200 + 120 + 80 iterations.

    Layer weights 256:64:16:4:1, content weight 0.015, Adam 0.02 (0.9, 0.99) with moments resampled,
    averaged iterate 0.97, bf16 convolutions, zero padding, differences of neighbours for variation.
    """
    network = VGG19.load(dtype=torch.bfloat16)
    longer = max(photograph.shape[2:])
    canvas, adam = photograph, None
    for scale, count in ((0.5, 200), (0.5**0.5, 120), (1.0, 80)):
        content = _scaled(photograph, scale)
        style = _scaled(painting, scale * longer / max(painting.shape[2:]))
        with torch.no_grad():
            target = _zero_padded(network, content, [CONTENT])[CONTENT].float()
            seen = _zero_padded(network, style, STYLE)
            distances = [losses.wasserstein(losses.moments(_flat(seen[x]))) for x in STYLE]
        canvas = F.interpolate(canvas, content.shape[2:], mode="bicubic").clamp(0, 1)
        canvas = canvas.detach().requires_grad_()
        adam = _resampled(adam, canvas)
        average, kept = torch.zeros_like(content), 0.0
        for _ in range(count):
            adam.zero_grad()
            seen = _zero_padded(network, canvas, [*STYLE, CONTENT])
            loss = 0.015 * F.mse_loss(seen[CONTENT].float(), target)
            for layer, distance, weight in zip(STYLE, distances, (256, 64, 16, 4, 1), strict=True):
                loss = loss + weight / 341 * distance(losses.moments(_flat(seen[layer])))
            down = (canvas[:, :, 1:] - canvas[:, :, :-1]).square().mean()
            right = (canvas[..., 1:] - canvas[..., :-1]).square().mean()
            loss = loss + 2 * (down + right)
            loss.backward()  # type: ignore[no-untyped-call]  # torch
            adam.step()
            with torch.no_grad():
                canvas.clamp_(0, 1)
                average.lerp_(canvas, 0.03)
            kept = 1 - (1 - kept) * 0.97
            yield average / kept
        canvas = average / kept


def bare_passes(network: VGG19, image: Tensor) -> None:
    """What everyone pays: through the network to relu5_1, back to the pixels, and no more."""
    pixels = image.clone().requires_grad_()
    seen = list(network(pixels, [*STYLE, CONTENT]).values())
    torch.autograd.backward(seen, seen)  # any gradient of the right form will do


def preset(name: str, strength: float = 0.5) -> Stylizer:
    """ganvas itself, through its public API."""
    return partial(_by_ganvas, name, strength)


def _by_ganvas(
    name: Any, strength: float, photograph: Tensor, painting: Tensor
) -> Iterator[Tensor]:
    size = max(photograph.shape[2:])
    for event in ganvas.stylize(
        photograph[0], painting[0], preset=name, size=size, strength=strength
    ):
        if isinstance(event, StyleIteration):
            yield event.image()[None]


def _flat(activations: Tensor) -> Tensor:
    return activations.permute(0, 2, 3, 1).flatten(0, 2)


def _scaled(image: Tensor, scale: float) -> Tensor:
    sides = [round(side * scale) for side in image.shape[2:]]
    return F.interpolate(image, sides, mode="bicubic", antialias=True).clamp(0, 1)


def _zero_padded(network: VGG19, image: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
    """The network with zeros around the image, as it was trained."""
    x, found = image.to(network.dtype), {}
    for convolution in network.convolutions:
        layer = convolution.name.replace("conv", "relu")
        if layer.endswith("_1") and layer != "relu1_1":
            x = F.max_pool2d(x, 2)
        x = F.relu(F.conv2d(x, convolution.weight, convolution.bias, padding=1))
        if layer in layers:
            found[layer] = x
    return found


def _resampled(before: torch.optim.Adam | None, canvas: Tensor) -> torch.optim.Adam:
    adam = torch.optim.Adam([canvas], lr=0.02, betas=(0.9, 0.99))
    if before is not None:
        (old,) = before.state.values()
        sides = canvas.shape[2:]
        adam.state[canvas] = {
            "step": old["step"],
            "exp_avg": F.interpolate(old["exp_avg"], sides, mode="bicubic"),
            "exp_avg_sq": F.interpolate(old["exp_avg_sq"], sides, mode="bilinear"),
        }
    return adam
