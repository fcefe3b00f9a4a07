"""The interface of every generative model.

A pyramid is a list of images, coarse to fine; a plain GAN has a list of one. Progressive growing
and multi-scale gradients are then ordinary models that need no special case.
"""

import abc
from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from ganvas.errors import GanvasError
from ganvas.models.anchors import MATCHED, NEW, Anchors, varied
from ganvas.models.layers import Head
from ganvas.models.projected import ProjectedDiscriminator
from ganvas.runtime.rng import Stream

Shape = tuple[int, int, int]  # channels, height, width
Pyramid = list[Tensor]


NO_STYLES = (
    "this model has no styles, which --truncation and ganvas mix need; "
    "train one that has, with --model stylegan."
)


NO_GROWTH = (
    "this model generates images of one size only; ganvas grow is for progressive, msg and "
    "stylegan. For the progress of any run, see its progress.gif."
)


class UnsuitableSizeError(GanvasError, ValueError):
    """A model cannot generate images of this size; the message names a size that it can."""


class UnsuitableOptionError(GanvasError, ValueError):
    """An option does not apply to this model; the message says which models it is for."""


class Generator(nn.Module, abc.ABC):
    """A network from latents to a pyramid: images (N, C, H, W) in [-1, 1], the last at full size.

    Latents (N, latent + classes) are numbers from N(0, 1), followed by a one-hot label where there
    are classes. With anchors the first numbers are near codes of real images.
    """

    latent: int
    shape: Shape
    classes: int
    anchors: Anchors | None

    def __init__(self) -> None:
        super().__init__()
        self.anchors = None

    @abc.abstractmethod
    def forward(self, latents: Tensor) -> Pyramid:
        """The pyramid of the images of these latents."""

    def draw(self, labels: Tensor, stream: Stream, codes: Tensor | None = None) -> Tensor:
        """Latents (N, latent + classes) for images with these labels (N, classes).

        With `codes` (N, count) of images to match they are near these, and otherwise near those of
        anchors, if there are any.
        """
        numbers, share = stream.normal(len(labels), self.latent), MATCHED
        if codes is None and self.anchors is not None:
            codes, share = self.anchors.choose(labels, stream), NEW
        if codes is not None:
            noise, others = numbers[:, : codes.shape[1]], numbers[:, codes.shape[1] :]
            numbers = torch.cat([varied(codes.to(noise), noise, share), others], 1)
        return torch.cat([numbers, labels.to(numbers)], 1)

    def make_room(self, tensors: Mapping[str, Tensor], prefix: str = "") -> None:
        """Have anchors exactly if these tensors do, of the same shape; their values are not set."""
        codes = tensors.get(f"{prefix}anchors.codes")
        if codes is None or not codes.numel() or codes.ndim != 2 or codes.shape[1] > self.latent:
            self.anchors = None
        elif self.anchors is None or self.anchors.codes.shape != codes.shape:
            device = next(self.parameters()).device
            classes = torch.zeros(len(codes), dtype=torch.long, device=device)
            self.anchors = Anchors(torch.zeros(codes.shape, device=device), classes)

    def grow(self, fraction: float) -> None:
        """Set the growth stage to this fraction of the run, in [0, 1]; most models ignore it."""

    def growth(self, latents: Tensor) -> Pyramid:
        """The images at every resolution that the model generates, coarsest first.

        Raises UnsuitableOptionError where there is only one.
        """
        raise UnsuitableOptionError(NO_GROWTH)

    def styles(self, latents: Tensor, truncation: float) -> Tensor:
        """Styles (N, layers, size), coarse layers first, truncated towards their mean.

        A truncation of 1 leaves them unchanged; 0 gives the mean, and one image for all latents.
        Raises UnsuitableOptionError for models without styles.
        """
        raise UnsuitableOptionError(NO_STYLES)

    def styled(self, styles: Tensor) -> Pyramid:
        """The pyramid of the images of these styles; raises UnsuitableOptionError."""
        raise UnsuitableOptionError(NO_STYLES)


class GenerativeModel(nn.Module, abc.ABC):
    """A model that trains a generator. Only the generator is averaged, exported and sampled."""

    generator: Generator
    stages: tuple[float, ...] = (0.0,)  # fractions of a run at which to time a step, evenly spaced

    @property
    def pretrained(self) -> dict[str, str]:
        """The frozen networks through which it learns, with the SHA-256 of their weights."""
        return {}

    def grow(self, fraction: float) -> None:
        """Set the growth stage to this fraction of the run, in [0, 1]; most models ignore it."""
        self.generator.grow(fraction)

    def lr_multipliers(self) -> dict[str, float]:
        """Learning-rate multipliers by parameter name; parameters not named have 1."""
        return {}

    def batch(self, usual: int) -> int:
        """The batch size at the current growth stage, where `usual` is that at full size."""
        return usual


class AdversarialModel(GenerativeModel):
    """A generator and a discriminator, trained against each other (Goodfellow et al., 2014)."""

    discriminator: nn.Module
    projected: ProjectedDiscriminator | None
    """A second discriminator, which looks through a pretrained network; most runs have none."""
    own_counts: bool
    """Whether `discriminator` is trained; otherwise `projected` is alone."""
    mean_length: Tensor  # running mean of path lengths, in models with styles
    doublings = 0  # how often images double in size during training
    scores_alone = False  # whether no image's logit depends on the others of its batch

    def __init__(self) -> None:
        super().__init__()
        self.projected, self.own_counts = None, True

    def look_through(self, projected: ProjectedDiscriminator, alone: bool) -> None:
        """Add a discriminator that looks through a pretrained network; if `alone`, only that one
        is trained."""
        self.projected, self.own_counts = projected, not alone

    @property
    def pretrained(self) -> dict[str, str]:
        """The frozen networks through which it learns, with the SHA-256 of their weights."""
        return {} if self.projected is None else self.projected.pretrained

    @property
    def discriminators(self) -> list[nn.Module]:
        """The discriminators that are trained."""
        found: list[nn.Module] = [self.discriminator] if self.own_counts else []
        return found if self.projected is None else [*found, self.projected]

    @property
    def head(self) -> nn.Module:
        """The discriminator's last layer, from features (N, F) to logits."""
        (head,) = (m for m in self.discriminator.modules() if isinstance(m, Head))
        return head

    @abc.abstractmethod
    def layers_from_input(self) -> list[list[nn.Module]]:
        """The discriminator's layers before its head, from the image on; parallel ones together.

        These are the layers that can be frozen when a trained model is fine-tuned.
        """

    def fake(self, latents: Tensor, stream: Stream) -> Pyramid:
        """The pyramid of generated images that the discriminator sees.

        `stream` is for further random numbers, such as noise.
        """
        return cast(Pyramid, self.generator(latents))

    def view(self, real: Tensor) -> Pyramid:
        """The pyramid of real images (N, C, H, W) that the discriminator sees."""
        return [real]

    def discriminate(self, pyramid: Pyramid, labels: Tensor) -> Tensor:
        """Logits (N,): high for images that look real and match their labels (N, classes)."""
        return cast(Tensor, self.discriminator(pyramid[-1], labels)).float()

    def discriminate_both(
        self, real: Pyramid, fake: Pyramid, labels: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Logits of real and of generated images with the same labels, in one pass if possible."""
        if not self.scores_alone:
            return self.discriminate(real, labels), self.discriminate(fake, labels)
        pyramid = [torch.cat(both) for both in zip(real, fake, strict=True)]
        scores = self.discriminate(pyramid, labels.repeat(2, 1))
        return scores[: len(labels)], scores[len(labels) :]

    def scores(self, real: Tensor, labels: Tensor) -> Tensor:
        """Logits (N,) of images (N, C, H, W) by the discriminator that is trained.

        Of one that looks through a pretrained network, the mean over heads and places.
        """
        if self.own_counts or self.projected is None:
            return self.discriminate(self.view(real), labels)
        found = self.projected(self.projected.look(self.view(real)[-1]).mixed, labels)
        return torch.stack([logits.mean(1) for logits in found]).mean(0)

    def path_lengths(self, latents: Tensor, stream: Stream) -> Tensor:
        """Path lengths (N,) for path-length regularisation.

        Raises UnsuitableOptionError for models without styles.
        """
        raise UnsuitableOptionError("--path-length is for models with styles, such as stylegan.")


class EncodingModel(GenerativeModel):
    """A generator, and an encoder from images to the distribution of their latents."""

    @abc.abstractmethod
    def encode(self, real: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance, each (N, latent), of the latents of images (N, C, H, W)."""


def generate(generator: Generator, latents: Tensor) -> Tensor:
    """The full-size images (N, C, H, W) in [-1, 1] of latents (N, latent + classes)."""
    return cast(Pyramid, generator(latents))[-1].float()
