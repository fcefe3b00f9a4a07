"""Nearest neighbours among many features, by Euclidean distance, a block of rows at a time.

Through a matrix product, which is fast, and where the distance between copies is rounding and not
quite 0: fit for sets in float64 where nobody asks whether it is 0.
"""

import torch
from torch import Tensor

BLOCK = 512


def nearest(points: Tensor, among: Tensor) -> tuple[Tensor, Tensor]:
    """Of each row of `points` (N, D) the distance to the nearest of `among`, and its number."""
    found = [torch.cdist(rows, among).min(1) for rows in torch.split(points, BLOCK)]
    return torch.cat([f.values for f in found]), torch.cat([f.indices for f in found])


def nearest_others(points: Tensor, rows: Tensor | None = None) -> Tensor:
    """Of each row of `points` (N, D), or of these alone, the distance to the nearest other row."""
    numbers = torch.arange(len(points)) if rows is None else rows
    found = []
    for part in torch.split(numbers, BLOCK):
        apart = torch.cdist(points[part], points)
        apart[torch.arange(len(part)), part] = torch.inf
        found.append(apart.min(1).values)
    return torch.cat(found)


def pairs_within(points: Tensor, radius: float) -> int:
    """How many pairs of rows are nearer to each other than `radius`."""
    blocks = torch.split(points, BLOCK)
    within = sum(int((torch.cdist(rows, points) < radius).sum()) for rows in blocks)
    return (within - len(points)) // 2  # each is near itself
