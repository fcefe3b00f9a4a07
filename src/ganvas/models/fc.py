"""Fully connected GAN: the smallest model, the one of the lesson.

Generative Adversarial Nets (Goodfellow et al., 2014). At 1x28x28 the generator has 1,489,936
parameters and the discriminator 533,505 (variant "pytorch") or 923,553 (variant "keras").
"""

from math import prod
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from ganvas.models.base import AdversarialModel, Generator, Pyramid, Shape
from ganvas.models.layers import MOST_UNITS, BatchNorm1d, Head, Latent
from ganvas.models.spec import ModelSpec
from ganvas.runtime.validation import STRICT


@dataclass(frozen=True, config=STRICT)
class FCSettings:
    """Architecture of the fully connected GAN."""

    latent: Latent = 100
    width: Annotated[
        int,
        Field(
            ge=4,
            le=MOST_UNITS,
            description="Number of units of the first layer.",
        ),
    ] = 256
    variant: Annotated[
        Literal["pytorch", "keras"],
        Field(description="Which of the lesson's two notebooks to follow."),
    ] = "pytorch"
    norm: Annotated[
        Literal["batch", "none"],
        Field(description="Normalisation in the generator."),
    ] = "batch"


class FCGenerator(Generator):
    """Three hidden layers, each twice as wide as the one before."""

    def __init__(self, settings: FCSettings, shape: Shape, classes: int) -> None:
        super().__init__()
        self.latent, self.shape, self.classes = settings.latent, shape, classes
        widths = [settings.width, 2 * settings.width, 4 * settings.width]
        ins = [settings.latent + classes, *widths]
        hidden = [
            layer
            for fan_in, fan_out in zip(ins, widths, strict=False)
            for layer in _hidden(fan_in, fan_out, settings)
        ]
        self.layers = nn.Sequential(*hidden, nn.Linear(widths[-1], prod(shape)))

    def forward(self, latents: Tensor) -> Pyramid:
        return [self.layers(latents).float().tanh().unflatten(1, self.shape)]


def _hidden(fan_in: int, fan_out: int, settings: FCSettings) -> list[nn.Module]:
    linear, activation = nn.Linear(fan_in, fan_out), nn.LeakyReLU(0.2)
    if settings.norm == "none":
        return [linear, activation]
    norm = BatchNorm1d(fan_out, momentum=0.2)  # Keras's momentum is 1 minus torch's: 0.8
    if settings.variant == "keras":
        return [linear, activation, norm]
    return [linear, norm, activation]


class FCDiscriminator(nn.Module):
    """Two hidden layers."""

    def __init__(self, settings: FCSettings, shape: Shape, classes: int) -> None:
        super().__init__()
        pixels = prod(shape)
        by_variant = {
            "pytorch": (2 * settings.width, settings.width),
            "keras": (pixels, pixels // 2),
        }
        first, second = by_variant[settings.variant]
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(pixels, first),
            nn.LeakyReLU(0.2),
            nn.Linear(first, second),
            nn.LeakyReLU(0.2),
        )
        self.head = Head(nn.Linear, second, classes)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        scores: Tensor = self.head(self.layers(images), labels)
        return scores


class FCGAN(AdversarialModel):
    """The lesson's GAN, for images of any size."""

    discriminator: FCDiscriminator
    scores_alone = True

    def __init__(self, settings: FCSettings, shape: Shape, classes: int = 0) -> None:
        super().__init__()
        self.generator = FCGenerator(settings, shape, classes)
        self.discriminator = FCDiscriminator(settings, shape, classes)

    def layers_from_input(self) -> list[list[nn.Module]]:
        return [[layer] for layer in self.discriminator.layers if isinstance(layer, nn.Linear)]


SPEC = ModelSpec(
    "fc",
    "fully connected: the lesson's, for small images",
    FCGAN,
    FCSettings,
    recipe={  # the lesson's notebook, which has neither a penalty nor augmentation
        "game": {"lr_g": 2e-4, "lr_d": 2e-4, "weight_decay": 8e-9, "r1": 0.0, "augment": "none"},
        "network": {"width": 256},
        "training": {"batch": 256},
    },
    any_size=True,
)
