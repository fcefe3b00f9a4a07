"""Penalties on the gradients of the discriminator's logits with respect to images.

The images must require gradients, and the logits must have been computed from them. All images of
a pyramid have the same weight, as in MSG-GAN (Karnewar and Wang, 2020).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from ganvas.runtime.rng import Stream

TINY = 1e-12  # the gradient of a square root is infinite at 0


def zero_centred(scores: Tensor, images: Sequence[Tensor]) -> Tensor:
    """Half the mean squared gradient norm of scores (N,) at images, each (N, C, H, W).

    At real images it is R1, at generated ones R2: Which Training Methods for GANs do actually
    Converge? (Mescheder, Geiger and Nowozin, 2018), equation 9 and its counterpart for R2, without
    their weights.
    """
    return 0.5 * torch.stack(_squared_gradients(scores, images)).mean()


def one_centred(scores: Tensor, images: Sequence[Tensor]) -> Tensor:
    """Mean squared difference of the gradient norm from 1, at images between real and fake.

    Improved Training of Wasserstein GANs (Gulrajani et al., 2017), without its weight of 10.
    """
    lengths = [(squares + TINY).sqrt() for squares in _squared_gradients(scores, images)]
    return (torch.stack(lengths) - 1).square().mean()


def between(one: Sequence[Tensor], other: Sequence[Tensor], stream: Stream) -> list[Tensor]:
    """Random interpolations between two pyramids; all levels of a pyramid use the same weight."""
    place = stream.uniform(len(one[0]), 1, 1, 1)
    return [a.lerp(b, place) for a, b in zip(one, other, strict=True)]


def path_length(lengths: Tensor, mean: Tensor) -> Tensor:
    """Mean squared difference of path lengths (N,) from their running mean.

    StyleGAN2 (Karras et al., 2020), equation 4. In the paper the mean already includes these
    lengths, with a weight of a hundredth; here it does not, so that micro-batches are independent.
    """
    return (lengths - mean).square().mean()


def _squared_gradients(scores: Tensor, images: Sequence[Tensor]) -> list[Tensor]:
    gradients = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return [gradient.float().square().sum((1, 2, 3)) for gradient in gradients]
