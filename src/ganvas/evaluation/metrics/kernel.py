"""KID (kernel distance): the MMD of two sets of features, unbiased on small sets."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.evaluation.metrics.checks import comparable

BLOCK = 1024


@dataclass(frozen=True)
class KernelDistance:
    """A squared distance, its standard error, and the spread of real features, in the same unit."""

    value: float
    error: float
    spread: float

    @property
    def relative(self) -> float:
        """`value` in units of the spread; 0 / 0 counts as 0."""
        return self._in_spreads(self.value)

    @property
    def relative_error(self) -> float:
        """`error` in units of the spread."""
        return self._in_spreads(self.error)

    def _in_spreads(self, number: float) -> float:
        if self.spread > 0:
            return number / self.spread
        return number * math.inf if number else 0.0


def kernel_distance(real: Tensor, fake: Tensor, subsets: int = 10, seed: int = 0) -> KernelDistance:
    """Kernel distance of Binkowski et al. (2018), the "KID" when the network is Inception-v3.

    `value` is the unbiased squared maximum mean discrepancy between all of `real` (N, D) and all of
    `fake` (M, D) under k(x, y) = (x·y / D + 1)³. It has no unit, and lies around 0, also below it,
    when both sets come from one distribution.

    `error` is the standard error of the mean of the same estimate over `subsets` disjoint random
    parts of both sets (fewer when a part would have less than ten rows, NaN when two do not fit).
    Using all pairs, `value` is at least as precise as that mean, so `error` is conservative.

    `spread` is the mean of k(x, x) minus the mean of k(x, x') over distinct x, x' of `real`: in the
    kernel's space, the mean squared distance of a real image from the mean of all. A generator that
    always generates one typical image is about one spread away (`relative` = 1).

    Raises ValueError when a set has fewer than two rows, or the sets cannot be compared.
    """
    real, fake = comparable(real, fake, least=2)
    among_real = _mean_of_distinct(real)
    value = _discrepancy(real, fake, among_real)
    spread = float(_own(real).mean()) - among_real
    return KernelDistance(value, _standard_error(real, fake, subsets, seed), spread)


def relative_kernel_distance(real: Tensor, fake: Tensor) -> float:
    """The field `relative` of `kernel_distance` only."""
    return kernel_distance(real, fake).relative


def _discrepancy(real: Tensor, fake: Tensor, among_real: float) -> float:
    """Unbiased MMD², equation 4 of Binkowski et al. (2018)."""
    cross = _kernel_sum(real, fake) / (len(real) * len(fake))
    return among_real + _mean_of_distinct(fake) - 2 * cross


def _mean_of_distinct(x: Tensor) -> float:
    """The mean over pairs of different rows; each pair is computed once, for k is symmetric."""
    total, rest = 0.0, x
    for rows in torch.split(x, BLOCK):
        rest = rest[len(rows) :]
        total += _kernel_sum(rows, rows) - float(_own(rows).sum()) + 2 * _kernel_sum(rows, rest)
    return total / (len(x) * (len(x) - 1))


def _kernel_sum(x: Tensor, y: Tensor) -> float:
    return sum(float(_cubic(rows @ y.T, x.shape[1]).sum()) for rows in torch.split(x, BLOCK))


def _own(x: Tensor) -> Tensor:
    return _cubic(x.square().sum(1), x.shape[1])


def _cubic(products: Tensor, dimensions: int) -> Tensor:
    return (products / dimensions + 1) ** 3


def _standard_error(real: Tensor, fake: Tensor, subsets: int, seed: int) -> float:
    parts = min(subsets, len(real) // 10, len(fake) // 10)
    if parts < 2:
        return float("nan")
    random = torch.Generator().manual_seed(seed)
    pairs = zip(_parts(real, parts, random), _parts(fake, parts, random), strict=True)
    found = [_discrepancy(*pair, _mean_of_distinct(pair[0])) for pair in pairs]
    estimates = torch.tensor(found, dtype=torch.float64)
    return float(estimates.std()) / math.sqrt(parts)


def _parts(x: Tensor, parts: int, random: torch.Generator) -> list[Tensor]:
    size = len(x) // parts
    rows = torch.randperm(len(x), generator=random)[: size * parts]
    return [x[part] for part in torch.split(rows, size)]
