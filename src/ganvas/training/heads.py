"""Losses of the heads on a pretrained network, and of the generator through them.

The hinge loss at every place, averaged over places: Projected GANs Converge Faster (Sauer et al.,
2021).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.losses.adversarial import hinge
from ganvas.models.projected import ProjectedDiscriminator, Seen


@dataclass(frozen=True)
class LookedAt:
    """What a pretrained network sees, computed once for both players' steps."""

    real: Seen  # without gradients
    fake: Seen


@dataclass(frozen=True)
class HeadsLoss:
    """The loss of the heads, and the mean logit (N,) of each real and generated image."""

    loss: Tensor
    real: Tensor
    fake: Tensor


def discriminator_loss(
    projected: ProjectedDiscriminator, seen: LookedAt, labels: Tensor
) -> HeadsLoss:
    """The mean loss of the heads; the features get no gradients."""
    real = projected(seen.real.mixed, labels)
    fake = projected([x.detach() for x in seen.fake.mixed], labels)
    losses = [
        hinge.discriminator(ours, theirs, 1.0) for ours, theirs in zip(real, fake, strict=True)
    ]
    return HeadsLoss(torch.stack(losses).mean(), _by_image(real), _by_image(fake))


def generator_loss(projected: ProjectedDiscriminator, seen: LookedAt, labels: Tensor) -> Tensor:
    """The generator's loss, summed over heads."""
    heads = projected(seen.fake.mixed, labels)
    return torch.stack([hinge.generator(logits, logits) for logits in heads]).sum()


def _by_image(heads: list[Tensor]) -> Tensor:
    return torch.stack([logits.detach().mean(1) for logits in heads]).mean(0)
