"""Penalties on the gradient of the discriminator's scores at images.

The images must require gradients and have led to the scores. Of the images of a pyramid
each counts alike, as in MSG-GAN (Karnewar and Wang, 2020).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from ganvas.runtime.rng import Stream

TINY = 1e-12  # the root of nothing has an infinite gradient


def zero_centred(scores: Tensor, images: Sequence[Tensor]) -> Tensor:
    """Half the mean squared gradient of scores (N,) at images, each (N, C, H, W).

    At real images it is R1, at generated ones R2: Which Training Methods for GANs do actually
    Converge? (Mescheder, Geiger and Nowozin, 2018), equation 9 and its mirror, without weights.
    """
    return 0.5 * torch.stack(_squared_gradients(scores, images)).mean()


def one_centred(scores: Tensor, images: Sequence[Tensor]) -> Tensor:
    """Mean squared difference of the gradient's length from 1, at images between both kinds.

    Improved Training of Wasserstein GANs (Gulrajani et al., 2017), without its weight of 10.
    """
    lengths = [(squares + TINY).sqrt() for squares in _squared_gradients(scores, images)]
    return (torch.stack(lengths) - 1).square().mean()


def between(one: Sequence[Tensor], other: Sequence[Tensor], stream: Stream) -> list[Tensor]:
    """Images at random places on the lines from one to the other: a pyramid all at the same
    place."""
    place = stream.uniform(len(one[0]), 1, 1, 1)
    return [a.lerp(b, place) for a, b in zip(one, other, strict=True)]


def path_length(lengths: Tensor, mean: Tensor) -> Tensor:
    """Mean squared difference of path lengths (N,) from their running mean.

    StyleGAN2 (Karras et al., 2020), equation 4. Unlike there, the mean does not hold these lengths
    yet, of which it would take a hundredth: so micro-batches need not know each other.
    """
    return (lengths - mean).square().mean()


def _squared_gradients(scores: Tensor, images: Sequence[Tensor]) -> list[Tensor]:
    gradients = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return [gradient.float().square().sum((1, 2, 3)) for gradient in gradients]
