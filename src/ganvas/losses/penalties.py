"""Penalties on the discriminator's slope."""

from collections.abc import Sequence

import torch
from torch import Tensor


def r1(scores: Tensor, pictures: Sequence[Tensor]) -> Tensor:
    """Half the mean squared slope of scores (N,) at real pictures, each (N, C, H, W).

    Which Training Methods for GANs do actually Converge? (Mescheder, Geiger and Nowozin, 2018),
    equation 9 without its weight. The pictures must require gradients and have led to the scores;
    several views of the same pictures count together.
    """
    slopes = torch.autograd.grad(scores.sum(), pictures, create_graph=True)
    squares = [slope.float().square().sum((1, 2, 3)) for slope in slopes]
    return 0.5 * torch.stack(squares).sum(0).mean()
