"""Colour matching: recolour an image like another, or keep only its lightness or its hues."""

import torch
from torch import Tensor

# Linear sRGB to the responses of the eye's cones, and their cube roots to lightness and two
# opponent colours (Oklab, Björn Ottosson, 2020).
CONES = torch.tensor(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
OPPONENT = torch.tensor(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
RIDGE = 1e-5  # added to colour variances: grey images have no variance across the grey axis


def recolour(image: Tensor, like: Tensor) -> Tensor:
    """An image (1, 3, H, W) in [0, 1] with the colour mean and covariance of another.

    Applies the linear map that moves colours least (Monge-Kantorovich; Pitié and Kokaram, 2007).
    """
    flat, other = (p.flatten(2)[0].double() for p in (image, like))
    mean, target = flat.mean(1, keepdim=True), other.mean(1, keepdim=True)
    one, two = (_covariance(c) for c in (flat, other))
    half = _power(one, 0.5)
    inverse = _power(one, -0.5)
    moved = inverse @ _power(half @ two @ half, 0.5) @ inverse @ (flat - mean) + target
    return moved.clamp(0, 1).to(image.dtype).view_as(image)


def grey(image: Tensor) -> Tensor:
    """An image (1, 3, H, W) in [0, 1] without colours, its lightness kept."""
    lightness = oklab(image)[:, :1]
    return from_oklab(torch.cat([lightness, lightness.new_zeros(1, 2, *image.shape[2:])], 1))


def with_colours_of(image: Tensor, like: Tensor) -> Tensor:
    """The lightness of one image (1, 3, H, W) in [0, 1] with the hues and chroma of another."""
    lightness, colours = oklab(image)[:, :1], oklab(like)[:, 1:]
    return from_oklab(torch.cat([lightness, colours], 1))


def oklab(image: Tensor) -> Tensor:
    """sRGB (1, 3, H, W) in [0, 1] as lightness and two opponent colours."""
    linear = torch.where(
        image <= 0.04045, image / 12.92, ((image + 0.055) / 1.055).clamp_min(0) ** 2.4
    )
    cones = _mix(CONES, linear)
    return _mix(OPPONENT, cones.clamp_min(0) ** (1 / 3))


def from_oklab(lab: Tensor) -> Tensor:
    """Back to sRGB (1, 3, H, W), clamped to [0, 1]."""
    cones = _mix(torch.linalg.inv(OPPONENT), lab) ** 3
    linear = _mix(torch.linalg.inv(CONES), cones).clamp(0, 1)
    return torch.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def _mix(matrix: Tensor, image: Tensor) -> Tensor:
    return torch.einsum("ij,bjhw->bihw", matrix.to(image), image)


def _covariance(colours: Tensor) -> Tensor:
    return torch.cov(colours, correction=0) + RIDGE * torch.eye(3, dtype=colours.dtype)


def _power(matrix: Tensor, exponent: float) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    rooted: Tensor = (vectors * values.clamp_min(0) ** exponent) @ vectors.T
    return rooted
