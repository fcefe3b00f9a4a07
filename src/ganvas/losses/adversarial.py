"""Adversarial losses: the loss of each player as a function of the discriminator's logits.

Each is a pair of pure functions of logits (N,). `real_label` is the label of real images: 1, or
less under one-sided label smoothing (Salimans et al., 2016).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class AdversarialLoss:
    """The losses of the two players, and what a training step must know about them."""

    discriminator: Callable[[Tensor, Tensor, float], Tensor]  # (real, fake, real_label) -> loss
    generator: Callable[[Tensor, Tensor], Tensor]  # (real, fake) -> loss
    labels: bool = True  # whether label smoothing has an effect
    undecided: float | None = 0.0  # the logit of an image as likely real as not, if there is one
    paired: bool = False  # whether the generator's loss depends on real images too
    means: bool = False  # whether it compares each logit with the mean of others

    @property
    def chance(self) -> float:
        """The discriminator's loss where it cannot tell real from fake: 2 ln 2 for bce."""
        undecided = torch.full((1,), self.undecided or 0.0)
        return float(self.discriminator(undecided, undecided, 1.0))


def bce_discriminator(real: Tensor, fake: Tensor, real_label: float) -> Tensor:
    """Binary cross-entropy, real towards `real_label` and fake towards 0; 2 ln 2 is chance."""
    target = torch.full_like(real, real_label)
    return F.binary_cross_entropy_with_logits(real, target) + F.softplus(fake).mean()


def non_saturating_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Binary cross-entropy of fakes towards 1 (Goodfellow et al., 2014, section 3)."""
    return F.softplus(-fake).mean()


def saturating_generator(real: Tensor, fake: Tensor) -> Tensor:
    """The loss of the minimax game, whose gradient vanishes while fakes are easy to detect."""
    return -F.softplus(fake).mean()


def least_squares_discriminator(real: Tensor, fake: Tensor, real_label: float) -> Tensor:
    """Squared distance to the labels (Mao et al., 2017)."""
    return 0.5 * ((real - real_label).square().mean() + fake.square().mean())


def least_squares_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Squared distance of fakes to the label 1 (Mao et al., 2017)."""
    return 0.5 * (fake - 1).square().mean()


def hinge_discriminator(real: Tensor, fake: Tensor, real_label: float) -> Tensor:
    """Hinge loss (Lim and Ye, 2017): logits beyond the margin do not count."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def hinge_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Negative mean logit of fakes, without a bound (Lim and Ye, 2017)."""
    return -fake.mean()


def relativistic_discriminator(real: Tensor, fake: Tensor, real_label: float) -> Tensor:
    """Each real image against the fake beside it (Jolicoeur-Martineau, 2019)."""
    return F.softplus(fake - real).mean()


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Each fake against the real image beside it (Jolicoeur-Martineau, 2019)."""
    return F.softplus(real - fake).mean()


def wasserstein_discriminator(real: Tensor, fake: Tensor, real_label: float) -> Tensor:
    """Difference of the mean scores (Arjovsky et al., 2017); needs a gradient penalty."""
    return fake.mean() - real.mean()


def wasserstein_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Negative mean score of fakes (Arjovsky et al., 2017)."""
    return -fake.mean()


def relativistic_hinge_discriminator(real: Tensor, fake: Tensor, real_label: float) -> Tensor:
    """Hinge loss of logits less the other side's mean (Jolicoeur-Martineau, 2019, RaHinge)."""
    return F.relu(1 - (real - fake.mean())).mean() + F.relu(1 + (fake - real.mean())).mean()


def relativistic_hinge_generator(real: Tensor, fake: Tensor) -> Tensor:
    """The same with real and fake exchanged (Jolicoeur-Martineau, 2019, RaHinge)."""
    return relativistic_hinge_discriminator(fake, real, 1.0)


bce = AdversarialLoss(bce_discriminator, non_saturating_generator)
saturating = AdversarialLoss(bce_discriminator, saturating_generator)
least_squares = AdversarialLoss(least_squares_discriminator, least_squares_generator, undecided=0.5)
hinge = AdversarialLoss(hinge_discriminator, hinge_generator, labels=False)
relativistic = AdversarialLoss(
    relativistic_discriminator,
    relativistic_generator,
    labels=False,
    undecided=None,
    paired=True,
)
wasserstein = AdversarialLoss(
    wasserstein_discriminator, wasserstein_generator, labels=False, undecided=None
)
relativistic_hinge = AdversarialLoss(
    relativistic_hinge_discriminator,
    relativistic_hinge_generator,
    labels=False,
    undecided=None,
    paired=True,
    means=True,
)
