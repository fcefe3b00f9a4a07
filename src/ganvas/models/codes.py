"""Latent codes of real images: what a frozen network sees of them, made normal.

A generator that only plays against discriminators forgets kinds of images that they seldom ask for.
Here each generated image also has a real one to resemble: some of its latent numbers are a code of
a real image of the batch, and it is to have that image's features (matching.py). Generative
Latent Optimization (Bojanowski, Joulin, Lopez-Paz and Szlam, 2018) learns a latent vector for every
image, and Instance-Conditioned GAN (Casanova et al., 2021) gives the generator an image's features.
Here a code is a function of features, and over real images each number of it is normally
distributed, as other latents are. Codes of new images are drawn near known ones (anchors.py).
"""

from math import sqrt

import torch
from torch import Tensor, nn

KNOTS = 256  # quantiles by which a number is made normal
RIDGE = 0.01  # weight of a penalty on axes, relative to the mean variance of an average
LEAST = 1e-6  # relative singular values, and distances of quantiles, below this are rounding


class Codes(nn.Module):
    """Averages of features (N, F) to codes (N, count): principal components, made normal.

    Its parameters are measured over real images, and never trained.
    """

    def __init__(self, features: int, count: int) -> None:
        super().__init__()
        self.centre = nn.Parameter(torch.zeros(features), requires_grad=False)
        self.axes = nn.Parameter(torch.zeros(features, count), requires_grad=False)
        self.knots = nn.Parameter(torch.zeros(count, KNOTS), requires_grad=False)

    @property
    def count(self) -> int:
        """How many numbers a code has."""
        return self.axes.shape[1]

    @torch.no_grad()
    def measure(self, averages: Tensor) -> None:
        """Find principal components and quantiles over real images (N, F).

        Components beyond the number of images are 0, and so is their part of every code.
        """
        averages = averages.float()
        self.centre.copy_(averages.mean(0))
        _, spreads, directions = torch.linalg.svd(averages - self.centre, full_matrices=False)
        known = int((spreads > LEAST * spreads[0]).sum().clamp(max=self.count))
        self.axes.zero_()
        self.axes[:, :known] = (directions[:known] / spreads[:known, None]).T * sqrt(len(averages))
        self.normalise(averages)

    @torch.no_grad()
    def normalise(self, averages: Tensor) -> None:
        """Find quantiles over real images (N, F), along the axes that there are."""
        shares = _shares(averages)
        self.knots.copy_(torch.quantile(self.components(averages), shares, dim=0).T)

    @torch.no_grad()
    def follow(self, averages: Tensor, components: Tensor) -> None:
        """Find axes and quantiles over real images (N, F) so that each number means what it means
        in others, of which these are the `components` (N, count): by ridge regression."""
        averages = averages.float()
        self.centre.copy_(averages.mean(0))
        centred = averages - self.centre
        products = centred.T @ centred
        products.diagonal().add_(RIDGE * products.diagonal().mean())
        self.axes.copy_(torch.linalg.solve(products, centred.T @ components))
        self.normalise(averages)

    def components(self, averages: Tensor) -> Tensor:
        """What codes (N, count) of averages (N, F) are before they are made normal."""
        return (averages.float() - self.centre) @ self.axes

    @torch.no_grad()
    def forward(self, averages: Tensor) -> Tensor:
        """Codes (N, count) of averages (N, F) of features."""
        components = self.components(averages).T.contiguous()
        above = torch.searchsorted(self.knots, components).clamp(1, KNOTS - 1)
        low, high = self.knots.gather(1, above - 1), self.knots.gather(1, above)
        between = ((components - low) / (high - low).clamp(min=LEAST)).clamp(0, 1)
        normal = torch.special.ndtri(_shares(averages))
        found = normal[above - 1].lerp(normal[above], between).T
        return torch.where(self.axes.any(0), found, 0.0)


def _shares(like: Tensor) -> Tensor:
    """The share of real images below each knot."""
    return (torch.arange(KNOTS, device=like.device) + 0.5) / KNOTS
