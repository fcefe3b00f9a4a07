"""What every generative model promises to the rest of the package.

A pyramid is always a list of images, coarse to fine; a plain GAN has a list of one. Progressive
growing and multi-scale gradients are then ordinary models, and nobody asks which kind it is.
"""

import abc
from typing import cast

import torch
from torch import Tensor, nn

from ganvas.errors import GanvasError
from ganvas.models.layers import Head
from ganvas.runtime.rng import Stream

Shape = tuple[int, int, int]  # channels, height, width
Pyramid = list[Tensor]


NO_STYLES = (
    "this model has no styles, which --truncation and ganvas mix need; "
    "train one that has, with --model stylegan."
)


NO_GROWTH = (
    "this model draws its images at one size only; ganvas grow is for progressive, msg and "
    "stylegan. How any run went on is in its progress.gif."
)


class UnsuitableSizeError(GanvasError, ValueError):
    """A model that cannot draw images of the wanted size; the message names one that it can."""


class UnsuitableOptionError(GanvasError, ValueError):
    """An option that means nothing to this model; the message says to which it does."""


class Generator(nn.Module, abc.ABC):
    """Latents to pyramid, each (N, C, H, W) in [-1, 1], the last being the image.

    Latents (N, latent + classes) are numbers from N(0, 1), and after them, where there are classes,
    a one-hot label.
    """

    latent: int
    shape: Shape
    classes: int

    @abc.abstractmethod
    def forward(self, latents: Tensor) -> Pyramid:
        """Every view of the images that these latents stand for."""

    def grow(self, fraction: float) -> None:
        """Become what it is after this share of the run, in [0, 1]; most stay as they are."""

    def growth(self, latents: Tensor) -> Pyramid:
        """The images at every resolution that is drawn on the way, coarsest first.

        Raises UnsuitableOptionError where there is one only.
        """
        raise UnsuitableOptionError(NO_GROWTH)

    def styles(self, latents: Tensor, truncation: float) -> Tensor:
        """Styles (N, layers, size), coarse layers first, moved towards their mean.

        1 leaves them where they are, 0 gives the mean itself, and one image for all latents.
        Raises UnsuitableOptionError where latents go into the first layer alone.
        """
        raise UnsuitableOptionError(NO_STYLES)

    def styled(self, styles: Tensor) -> Pyramid:
        """Every view of the images of these styles; raises UnsuitableOptionError."""
        raise UnsuitableOptionError(NO_STYLES)


class GenerativeModel(nn.Module, abc.ABC):
    """Something that learns a generator. The generator alone is averaged, exported and sampled."""

    generator: Generator
    stages: tuple[float, ...] = (0.0,)  # of equal length: shares of a run by which to time a step

    def grow(self, fraction: float) -> None:
        """Become what it is after this share of the run, in [0, 1]; most stay as they are."""
        self.generator.grow(fraction)

    def lr_multipliers(self) -> dict[str, float]:
        """Learning-rate multipliers of single parameters, by name; 1 for most."""
        return {}

    def batch(self, usual: int) -> int:
        """How many images to show in a step now, where `usual` are shown at full size."""
        return usual


class AdversarialModel(GenerativeModel):
    """A generator and the discriminator that teaches it (Goodfellow et al., 2014)."""

    discriminator: nn.Module
    mean_length: Tensor  # of paths, a running mean, where there are styles
    scores_alone = False  # whether no image's score depends on the others of its batch

    @property
    def head(self) -> nn.Module:
        """The layer that makes a score of what the discriminator sees, of features (N, F)."""
        (head,) = (m for m in self.discriminator.modules() if isinstance(m, Head))
        return head

    @abc.abstractmethod
    def layers_from_input(self) -> list[list[nn.Module]]:
        """The discriminator's layers before its head, from the image on, side by side ones
        together: what can be kept from learning when a trained one goes on with new images."""

    def fake(self, latents: Tensor, stream: Stream) -> Pyramid:
        """What the discriminator sees of generated images; `stream` is for what else is drawn."""
        return cast(Pyramid, self.generator(latents))

    def view(self, real: Tensor) -> Pyramid:
        """What the discriminator sees of real images (N, C, H, W)."""
        return [real]

    def discriminate(self, pyramid: Pyramid, labels: Tensor) -> Tensor:
        """Scores (N,), as logits: high means real, and what the labels (N, classes) say."""
        return cast(Tensor, self.discriminator(pyramid[-1], labels)).float()

    def discriminate_both(
        self, real: Pyramid, fake: Pyramid, labels: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Scores of real and of generated images with the same labels; in one pass if it may."""
        if not self.scores_alone:
            return self.discriminate(real, labels), self.discriminate(fake, labels)
        pyramid = [torch.cat(both) for both in zip(real, fake, strict=True)]
        scores = self.discriminate(pyramid, labels.repeat(2, 1))
        return scores[: len(labels)], scores[len(labels) :]

    def path_lengths(self, latents: Tensor, stream: Stream) -> Tensor:
        """How far images move with their styles (N,); raises UnsuitableOptionError without."""
        raise UnsuitableOptionError("--path-length is for models with styles, such as stylegan.")


class EncodingModel(GenerativeModel):
    """A generator and the encoder that says which latents an image came from."""

    @abc.abstractmethod
    def encode(self, real: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance, each (N, latent), of the latents of images (N, C, H, W)."""


def generate(generator: Generator, latents: Tensor) -> Tensor:
    """The finished images (N, C, H, W) in [-1, 1] of latents (N, latent)."""
    return cast(Pyramid, generator(latents))[-1].float()
