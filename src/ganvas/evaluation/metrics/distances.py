"""Nearest neighbours among features, by Euclidean distance, in blocks of rows.

Distances come from a matrix product, which is fast. The distance between copies is then a rounding
error instead of 0, so this is for sets in float64 where an exact 0 does not matter.
"""

import torch
from torch import Tensor

BLOCK = 512


def nearest(points: Tensor, among: Tensor) -> tuple[Tensor, Tensor]:
    """For each row of `points` (N, D) the distance to the nearest of `among`, and its index."""
    found = [torch.cdist(rows, among).min(1) for rows in torch.split(points, BLOCK)]
    return torch.cat([f.values for f in found]), torch.cat([f.indices for f in found])


def nearest_others(points: Tensor, rows: Tensor | None = None) -> Tensor:
    """The distance to the nearest other row, for each row of `points` (N, D) or only for `rows`."""
    numbers = torch.arange(len(points)) if rows is None else rows
    found = []
    for part in torch.split(numbers, BLOCK):
        apart = torch.cdist(points[part], points)
        apart[torch.arange(len(part)), part] = torch.inf
        found.append(apart.min(1).values)
    return torch.cat(found)


def pairs_within(points: Tensor, radius: float) -> int:
    """Number of pairs of rows that are closer to each other than `radius`."""
    blocks = torch.split(points, BLOCK)
    within = sum(int((torch.cdist(rows, points) < radius).sum()) for rows in blocks)
    return (within - len(points)) // 2  # without each row's distance to itself
