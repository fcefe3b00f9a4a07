"""Losses of the heads on a pretrained network, and of the generator through them.

The hinge loss at every place, averaged over places: Projected GANs Converge Faster (Sauer et al.,
2021).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.losses.adversarial import hinge
from ganvas.models import Pyramid
from ganvas.models.projected import Features, ProjectedDiscriminator


@dataclass(frozen=True)
class LookedAt:
    """Features of a pretrained network, computed once for both players' steps."""

    real: Features  # without gradients
    fake: Features


@dataclass(frozen=True)
class HeadsLoss:
    """The loss of the heads, and the mean logit (N,) of each real and generated image."""

    loss: Tensor
    real: Tensor
    fake: Tensor


def look(
    projected: ProjectedDiscriminator, real: Pyramid, fake: Pyramid, first: int, learning: bool
) -> LookedAt:
    """Features of both, with gradients for the generator or without; real ones need none."""
    with torch.no_grad():
        of_real = projected.look(real[-1], first)
    with torch.set_grad_enabled(learning):
        return LookedAt(of_real, projected.look(fake[-1], first))


def discriminator_loss(
    projected: ProjectedDiscriminator, features: LookedAt, labels: Tensor
) -> HeadsLoss:
    """The mean loss of the heads; the features get no gradients."""
    real = projected(features.real, labels)
    fake = projected([x.detach() for x in features.fake], labels)
    losses = [
        hinge.discriminator(ours, theirs, 1.0) for ours, theirs in zip(real, fake, strict=True)
    ]
    return HeadsLoss(torch.stack(losses).mean(), _by_image(real), _by_image(fake))


def generator_loss(projected: ProjectedDiscriminator, features: LookedAt, labels: Tensor) -> Tensor:
    """The generator's loss, summed over heads."""
    heads = projected(features.fake, labels)
    return torch.stack([hinge.generator(logits, logits) for logits in heads]).sum()


def _by_image(heads: list[Tensor]) -> Tensor:
    return torch.stack([logits.detach().mean(1) for logits in heads]).mean(0)
