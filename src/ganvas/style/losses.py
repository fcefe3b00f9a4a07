"""Content, style and total-variation losses, as pure functions.

Content and Gram matrices: Image Style Transfer Using Convolutional Neural Networks (Gatys, Ecker
and Bethge, 2016). Style as a Gaussian, compared by the 2-Wasserstein distance: after K. Crowson's
style-transfer-pytorch (2023), here with its gradient in closed form.

A style loss depends on a layer's activations only through their moments. Those are sums over
positions, so images larger than memory are processed block by block, and several styles blend by
averaging.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

PRINCIPAL = 0.99  # share of the target's variance that is compared: the rest is noise, and slow
PIECE = 8192  # positions processed at once
SHORT_PIECE = 1024  # positions whose sums may be rounded to bf16
MANY = 8  # pieces over which rounding errors average out
FLAT = 1e-6  # lower bound on products of variances, as a share of the target variance squared
TINY = 1e-12  # avoids division by the zero variance of a flat image

# The distance of moments from those of one target style.
StyleDistance = Callable[["Moments"], Tensor]


@dataclass(frozen=True)
class Moments:
    """Mean (C,) and second moment (C, C) of activations over all positions."""

    mean: Tensor
    second: Tensor

    @property
    def covariance(self) -> Tensor:
        """Second moment about the mean (C, C)."""
        return self.second - torch.outer(self.mean, self.mean)

    def towards(self, other: "Moments", share: float) -> "Moments":
        """The moments of both together, where the other is this share of the whole."""
        return Moments(self.mean.lerp(other.mean, share), self.second.lerp(other.second, share))


def moments(flat: Tensor, weights: Tensor | None = None) -> Moments:
    """Moments of activations (P, C) at P positions, weighted by `weights` (P,), in fp32.

    Computed in pieces that fit a processor's cache: an fp32 copy of all activations would cost
    more than the products.
    """
    count, channels = flat.shape
    mean = flat.new_zeros(channels, dtype=torch.float32)
    second = flat.new_zeros((channels, channels), dtype=torch.float32)
    shares = None if weights is None else weights / weights.sum()
    done = 0
    if shares is None and flat.dtype == torch.bfloat16 and count >= MANY * SHORT_PIECE:
        done = count // SHORT_PIECE * SHORT_PIECE
        mean, second = _short_pieces(flat[:done])
    with _exact_products(flat.dtype):
        for start in range(done, count, PIECE):
            piece = flat[start : start + PIECE].float()
            if shares is None:
                mean += piece.sum(0)
                second.addmm_(piece.T, piece)
            else:
                here = shares[start : start + PIECE]
                mean += here @ piece
                second.addmm_(piece.T, here[:, None] * piece)
    total = count if shares is None else 1
    return Moments(mean / total, second / total)


def _short_pieces(flat: Tensor) -> tuple[Tensor, Tensor]:
    """Sums and products of bf16 activations (P, C), rounded to bf16 for each short piece.

    Processors with bf16 products return bf16, and are three times as fast that way. Rounding errors
    are random and average out over many pieces: they stay below the rounding error of the
    activations themselves.
    """
    pieces = flat.view(-1, SHORT_PIECE, flat.shape[1])
    ones = pieces.new_ones(1, 1, SHORT_PIECE).expand(len(pieces), 1, SHORT_PIECE)
    sums, products = torch.bmm(ones, pieces)[:, 0], torch.bmm(pieces.transpose(1, 2), pieces)
    return sums.sum(0, dtype=torch.float32), products.sum(0, dtype=torch.float32)


@contextmanager
def _exact_products(dtype: torch.dtype) -> Iterator[None]:
    """Allow bf16 products where the numbers are bf16: exact, summed in fp32, at a third the cost.

    In fp32, leave the precision as it is.
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium" if dtype == torch.bfloat16 else before)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def blend(styles: list[Moments], weights: list[float]) -> Moments:
    """The moments of several styles mixed in these proportions.

    Means and second moments are averaged: that gives the moments of the union. Covariances are not
    averaged. If all proportions are 0, as in a part of the image where only styles of weight 0 are
    left, all styles count alike.
    """
    shares = weights if any(weights) else [1.0] * len(styles)
    counted = [pair for pair in zip(styles, shares, strict=True) if pair[1]]
    mixed, total = counted[0]
    for style, weight in counted[1:]:
        total += weight
        mixed = mixed.towards(style, weight / total)
    return mixed


def content(activations: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """The sum of squared differences of activations at the same position, and its gradient."""
    apart = activations.float() - target.float()
    return apart.square().sum(), 2 * apart


def gram(target: Moments) -> StyleDistance:
    """Mean squared difference of Gram matrices, each normalised by the number of positions."""

    def distance(found: Moments) -> Tensor:
        return F.mse_loss(found.second, target.second)

    return distance


def wasserstein(target: Moments) -> StyleDistance:
    """Squared 2-Wasserstein distance of two Gaussians, divided by the number of channels.

    |m - m'|^2 + tr(S + S' - 2 (S'^1/2 S S'^1/2)^1/2), with mean m and covariance S; m' and S' are
    the target's. S' is restricted to its principal axes: S'^1/2 = A A^T with few columns in A, and
    the eigenvalues of A^T S A are those of the large matrix.
    """
    axes = principal_axes(target.covariance)
    wanted = axes.square().sum()

    def distance(found: Moments) -> Tensor:
        apart = (found.mean - target.mean).square().sum()
        spread = found.covariance.trace() + wanted
        value: Tensor = (apart + spread - 2 * trace_of_root(found.covariance, axes)) / len(axes)
        return value

    return distance


def principal_axes(covariance: Tensor) -> Tensor:
    """A (C, k), k <= C, whose A A^T is a covariance (C, C) without its smallest variances."""
    values, vectors = eigh(covariance)
    values = values.clamp_min(0)
    below = values.cumsum(0) <= (1 - PRINCIPAL) * values.sum()
    kept = ~below
    kept[-1] = True  # a flat image has no variance at all
    axes: Tensor = vectors[:, kept] * values[kept].sqrt()
    return axes


def eigh(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues, ascending, and eigenvectors of a symmetric matrix (C, C)."""
    # In fp32 LAPACK fails on some matrices of flat images, with an error or with NaN, and not
    # every device implements it.
    failures = torch.linalg.LinAlgError, NotImplementedError  # type: ignore[attr-defined]  # torch
    with suppress(*failures):
        values, vectors = torch.linalg.eigh(matrix)
        if torch.isfinite(values).all():
            return values, vectors
    values, vectors = torch.linalg.eigh(matrix.cpu().double())
    return values.to(matrix), vectors.to(matrix)


def trace_of_root(covariance: Tensor, axes: Tensor) -> Tensor:
    """tr (A^T S A)^1/2 of a covariance S (C, C) and the axes A (C, k) of another."""
    value: Tensor = _TraceOfRoot.apply(covariance, axes)  # type: ignore[no-untyped-call]
    return value


class _TraceOfRoot(torch.autograd.Function):
    """The trace of the root and its gradient from one eigendecomposition.

    With A^T S A = V diag(l) V^T the value is the sum of sqrt(l), and its gradient
    1/2 A V diag(l^-1/2) V^T A^T. Unlike differentiation through the eigenvectors, this is stable
    where eigenvalues are equal.
    """

    @staticmethod
    def forward(ctx: Any, covariance: Tensor, axes: Tensor) -> Tensor:
        values, vectors = eigh(axes.T @ covariance @ axes)
        # Where an image is flat the true gradient is infinite.
        least = FLAT * axes.square().sum().div(axes.shape[1]).square().clamp_min(TINY)
        roots: Tensor = values.clamp_min(least).sqrt()
        ctx.save_for_backward(axes @ vectors, roots)
        return roots.sum()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        turned, roots = ctx.saved_tensors
        whole: Tensor = gradient * 0.5 * (turned / roots) @ turned.T
        return whole, None


def variation(image: Tensor) -> Iterator[Tensor]:
    """Mean squared difference of neighbours in an image (1, C, H, W), as terms to be summed.

    A discrete Laplacian over nine pixels: neighbours beside and below count 2/3, diagonal ones 1/6.
    Term by term, the gradient of a large image needs a quarter of the memory.
    """
    for share, one, other in (
        (2 / 3, image[..., 1:, :], image[..., :-1, :]),
        (2 / 3, image[..., 1:], image[..., :-1]),
        (1 / 6, image[..., 1:, 1:], image[..., :-1, :-1]),
        (1 / 6, image[..., 1:, :-1], image[..., :-1, 1:]),
    ):
        yield share * (one - other).square().sum() / image.numel()
