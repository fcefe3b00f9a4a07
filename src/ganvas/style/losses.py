"""What makes a picture like another: content, style and smoothness, as pure functions.

Content and Gram matrices: Image Style Transfer Using Convolutional Neural Networks (Gatys, Ecker
and Bethge, 2016). Style as a Gaussian, compared by the 2-Wasserstein distance: after K. Crowson's
style-transfer-pytorch (2023), here with its gradient in closed form.

A style loss sees a layer's activations only through their moments. Those are sums over positions:
pictures larger than memory are seen block by block, and several styles blend by averaging.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

RIDGE = 1e-4  # added to variances, as a share of the wanted ones: some channels never fire


@dataclass(frozen=True)
class Moments:
    """Mean (C,) and second moment (C, C) of activations over all positions."""

    mean: Tensor
    second: Tensor

    @property
    def covariance(self) -> Tensor:
        """Second moment about the mean (C, C)."""
        return self.second - torch.outer(self.mean, self.mean)


def moments(activations: Tensor) -> Moments:
    """Moments of activations (1, C, H, W), in fp32."""
    flat = activations.float().flatten(2)[0]
    return Moments(flat.mean(1), flat @ flat.T / flat.shape[1])


def blend(styles: list[Moments], weights: list[float]) -> Moments:
    """The moments of several styles mixed in these proportions.

    Means and second moments are averaged, for those are the moments of the union; covariances are
    not.
    """
    total = sum(weights)
    shares = [weight / total for weight in weights]
    return Moments(
        torch.stack([s * style.mean for s, style in zip(shares, styles, strict=True)]).sum(0),
        torch.stack([s * style.second for s, style in zip(shares, styles, strict=True)]).sum(0),
    )


def content(activations: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference of activations at the same place."""
    return F.mse_loss(activations.float(), target.float())


def gram(found: Moments, target: Moments) -> Tensor:
    """Mean squared difference of Gram matrices, each divided by the number of positions."""
    return F.mse_loss(found.second, target.second)


def wasserstein(found: Moments, target: Moments) -> Tensor:
    """Squared 2-Wasserstein distance of two Gaussians, divided by the number of channels.

    |m - m'|^2 + tr(S + S' - 2 (S'^1/2 S S'^1/2)^1/2): nothing else about the activations counts.
    """
    apart = (found.mean - target.mean).square().sum()
    ridge = RIDGE * torch.diag(target.covariance.diagonal().mean().expand(len(target.mean)))
    covariance, wanted = found.covariance + ridge, target.covariance + ridge
    spread = covariance.trace() + wanted.trace()
    distance: Tensor = (apart + spread - 2 * trace_of_root(covariance, root(wanted))) / len(ridge)
    return distance


def root(matrix: Tensor) -> Tensor:
    """The square root of a symmetric positive matrix (C, C)."""
    values, vectors = torch.linalg.eigh(matrix)
    rooted: Tensor = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    return rooted


def trace_of_root(covariance: Tensor, other_root: Tensor) -> Tensor:
    """tr (R S R)^1/2 of a covariance S (C, C) and the root R of another."""
    value: Tensor = _TraceOfRoot.apply(covariance, other_root)  # type: ignore[no-untyped-call]
    return value


class _TraceOfRoot(torch.autograd.Function):
    """By one eigendecomposition.

    With R S R = V diag(l) V^T the value is the sum of sqrt(l), and its gradient
    1/2 R V diag(l^-1/2) V^T R. Differentiating through the eigenvectors would break where
    eigenvalues are equal; this does not.
    """

    @staticmethod
    def forward(ctx: Any, covariance: Tensor, other_root: Tensor) -> Tensor:
        values, vectors = torch.linalg.eigh(other_root @ covariance @ other_root)
        roots: Tensor = values.clamp_min(torch.finfo(values.dtype).eps * values[-1]).sqrt()
        turned = other_root @ vectors
        ctx.save_for_backward(turned, roots)
        return roots.sum()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        turned, roots = ctx.saved_tensors
        slope: Tensor = gradient * 0.5 * (turned / roots) @ turned.T
        return slope, None


def variation(picture: Tensor) -> Tensor:
    """Mean squared difference of neighbours in a picture (1, C, H, W), diagonal ones included.

    A discrete Laplacian over nine pixels: down and right count 1/3, diagonals 1/12 each, twice.
    """
    padded = F.pad(picture, (1, 1, 1, 1), mode="replicate")
    height, width = picture.shape[2:]

    def shifted(down: int, right: int) -> Tensor:
        return padded[:, :, 1 + down : 1 + down + height, 1 + right : 1 + right + width]

    straight = (shifted(1, 0) - picture).square().mean() + (shifted(0, 1) - picture).square().mean()
    crossed = (shifted(1, 1) - picture).square().mean() + (shifted(1, -1) - picture).square().mean()
    total: Tensor = 2 * (straight / 3 + crossed / 12)
    return total


def absolute_variation(picture: Tensor) -> Tensor:
    """Mean absolute difference of neighbours to the right and below."""
    down = (picture[:, :, 1:] - picture[:, :, :-1]).abs().mean()
    right = (picture[:, :, :, 1:] - picture[:, :, :, :-1]).abs().mean()
    return down + right
