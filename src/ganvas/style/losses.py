"""What makes an image like another: content, style and smoothness, as pure functions.

Content and Gram matrices: Image Style Transfer Using Convolutional Neural Networks (Gatys, Ecker
and Bethge, 2016). Style as a Gaussian, compared by the 2-Wasserstein distance: after K. Crowson's
style-transfer-pytorch (2023), here with its gradient in closed form.

A style loss sees a layer's activations only through their moments. Those are sums over positions:
images larger than memory are seen block by block, and several styles blend by averaging.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

PRINCIPAL = 0.99  # share of the wanted variance that is compared: the rest is noise, and costs
PIECE = 8192  # positions of activations that are looked at in one go
SHORT_PIECE = 1024  # positions whose sums may be rounded
MANY = 8  # pieces among which rounding fades
FLAT = 1e-6  # products of variances below this share of the wanted variance squared count as this
TINY = 1e-12  # so that nothing is divided by the variance of a flat image

# How far moments are from those that one style wants.
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
    """Moments of activations (P, C) at P positions that count by `weights` (P,), in fp32.

    Taken piece by piece, as large as a processor's cache: the fp32 copy of all of them would cost
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
    """Sums and products of bf16 activations (P, C), each short piece's rounded to bf16.

    A processor that multiplies bf16 gives no other result, and is three times as fast at it. What
    rounding does to one piece is random, and fades among many: it is below what rounding has done
    to the activations.
    """
    pieces = flat.view(-1, SHORT_PIECE, flat.shape[1])
    ones = pieces.new_ones(1, 1, SHORT_PIECE).expand(len(pieces), 1, SHORT_PIECE)
    sums, products = torch.bmm(ones, pieces)[:, 0], torch.bmm(pieces.transpose(1, 2), pieces)
    return sums.sum(0, dtype=torch.float32), products.sum(0, dtype=torch.float32)


@contextmanager
def _exact_products(dtype: torch.dtype) -> Iterator[None]:
    """Products of numbers that are bf16 lose nothing as bf16, summed in fp32: and cost a third."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium" if dtype == torch.bfloat16 else before)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def blend(styles: list[Moments], weights: list[float]) -> Moments:
    """The moments of several styles mixed in these proportions.

    Means and second moments are averaged, for those are the moments of the union; covariances are
    not. Where all proportions are 0, as in a part of the image that is left to styles that count
    nothing elsewhere, all count alike.
    """
    shares = weights if any(weights) else [1.0] * len(styles)
    counted = [pair for pair in zip(styles, shares, strict=True) if pair[1]]
    mixed, total = counted[0]
    for style, weight in counted[1:]:
        total += weight
        mixed = mixed.towards(style, weight / total)
    return mixed


def content(activations: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Squared differences of activations at the same place, summed; and the gradient of the sum."""
    apart = activations.float() - target.float()
    return apart.square().sum(), 2 * apart


def gram(target: Moments) -> StyleDistance:
    """Mean squared difference of Gram matrices, each divided by the number of positions."""

    def distance(found: Moments) -> Tensor:
        return F.mse_loss(found.second, target.second)

    return distance


def wasserstein(target: Moments) -> StyleDistance:
    """Squared 2-Wasserstein distance of two Gaussians, divided by the number of channels.

    |m - m'|^2 + tr(S + S' - 2 (S'^1/2 S S'^1/2)^1/2): nothing else about the activations counts.
    The wanted S' is taken along its principal axes alone: S'^1/2 = A A^T with few columns in A, and
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
    """A (C, k), k <= C, whose A A^T is a covariance (C, C) but for the least of its variance."""
    values, vectors = eigh(covariance)
    values = values.clamp_min(0)
    below = values.cumsum(0) <= (1 - PRINCIPAL) * values.sum()
    kept = ~below
    kept[-1] = True  # a flat image has no variance at all
    axes: Tensor = vectors[:, kept] * values[kept].sqrt()
    return axes


def eigh(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues, ascending, and eigenvectors of a symmetric matrix (C, C)."""
    # In fp32 LAPACK gives up on some matrices of flat images, with an error or with NaN; and not
    # every device can do it.
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
    """By one eigendecomposition.

    With A^T S A = V diag(l) V^T the value is the sum of sqrt(l), and its gradient
    1/2 A V diag(l^-1/2) V^T A^T. Differentiating through the eigenvectors would break where
    eigenvalues are equal; this does not.
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
    """Mean squared difference of neighbours in an image (1, C, H, W): terms to be summed.

    A discrete Laplacian over nine pixels: neighbours beside and below count 2/3, diagonal ones 1/6.
    Term by term, the gradient of a large image needs a fourth of the memory.
    """
    for share, one, other in (
        (2 / 3, image[..., 1:, :], image[..., :-1, :]),
        (2 / 3, image[..., 1:], image[..., :-1]),
        (1 / 6, image[..., 1:, 1:], image[..., :-1, :-1]),
        (1 / 6, image[..., 1:, :-1], image[..., :-1, 1:]),
    ):
        yield share * (one - other).square().sum() / image.numel()


def absolute_variation(image: Tensor) -> Iterator[Tensor]:
    """Sum of absolute differences of neighbours beside and below: terms to be summed."""
    yield (image[..., 1:, :] - image[..., :-1, :]).abs().sum()
    yield (image[..., 1:] - image[..., :-1]).abs().sum()
