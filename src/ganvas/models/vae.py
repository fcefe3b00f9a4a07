"""Variational autoencoder: the baseline from which the lesson starts, built like dcgan.

Auto-Encoding Variational Bayes (Kingma and Welling, 2014). The encoder is dcgan's discriminator
with a wider head, and the decoder is dcgan's generator, so that a comparison with dcgan compares
the training objectives.
"""

from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from ganvas.models.base import EncodingModel, Shape, UnsuitableOptionError
from ganvas.models.dcgan import (
    DCGANGenerator,
    DCGANSettings,
    check_sides,
    downward,
    draw_weights,
    features,
)
from ganvas.models.layers import Latent, Width
from ganvas.models.spec import ModelSpec
from ganvas.runtime.validation import STRICT


@dataclass(frozen=True, config=STRICT)
class VAESettings:
    """Architecture of the variational autoencoder."""

    latent: Latent = 64
    width: Width = 32


class VAE(EncodingModel):
    """An encoder to the mean and log-variance of latents, and a decoder back to images."""

    def __init__(self, settings: VAESettings, shape: Shape, classes: int = 0) -> None:
        super().__init__()
        if classes:
            raise UnsuitableOptionError(
                "vae learns without labels; leave --labels out, or take a GAN: --model dcgan."
            )
        check_sides("vae", shape)
        layers = DCGANSettings(latent=settings.latent, width=settings.width)
        self.generator = DCGANGenerator(layers, shape)
        head = nn.Linear(features(settings.width, shape), 2 * settings.latent)
        self.encoder = nn.Sequential(downward(settings.width, shape), head.apply(draw_weights))

    def encode(self, real: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.encoder(real).float().chunk(2, dim=1)
        return mean, log_variance.clamp(-10, 10)  # keeps exp() finite in the first steps


SPEC = ModelSpec(
    "vae", "variational autoencoder: stable, blurs", VAE, VAESettings, trainer="variational"
)
