"""Generative models. To add one: write its file, then add its line to MODELS."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from ganvas.models.base import (
    AdversarialModel,
    EncodingModel,
    GenerativeModel,
    Generator,
    Shape,
    UnsuitableOptionError,
    UnsuitableSizeError,
    Views,
    paint,
)
from ganvas.models.compact import CompactGAN, CompactSettings
from ganvas.models.dcgan import DCGAN, DCGANSettings
from ganvas.models.fc import FCGAN, FCSettings
from ganvas.models.msg import MSGGAN, MSGSettings
from ganvas.models.progressive import ProgressiveGAN, ProgressiveSettings
from ganvas.models.stylegan import StyleGAN, StyleGANSettings
from ganvas.models.vae import VAE, VAESettings
from ganvas.registry import choose

ModelSettings = (
    FCSettings
    | DCGANSettings
    | CompactSettings
    | ProgressiveSettings
    | MSGSettings
    | StyleGANSettings
    | VAESettings
)


@dataclass(frozen=True)
class Entry:
    """A model in the catalogue: how it is built, what can be set, and the game that teaches it."""

    build: Callable[[Any, Shape, int], GenerativeModel]
    settings: type[ModelSettings]
    game: Literal["adversarial", "variational"]
    summary: str


MODELS = {
    "fc": Entry(
        FCGAN, FCSettings, "adversarial", "fully connected: the lesson's, for small pictures"
    ),
    "dcgan": Entry(DCGAN, DCGANSettings, "adversarial", "convolutional, 16 to 256 pixels a side"),
    "compact": Entry(CompactGAN, CompactSettings, "adversarial", "small, residual, quick to learn"),
    "progressive": Entry(
        ProgressiveGAN, ProgressiveSettings, "adversarial", "grows from 4x4 to the picture"
    ),
    "msg": Entry(MSGGAN, MSGSettings, "adversarial", "multi-scale gradients: all sizes at once"),
    "stylegan": Entry(StyleGAN, StyleGANSettings, "adversarial", "styles steer every layer"),
    "vae": Entry(VAE, VAESettings, "variational", "variational autoencoder: never fails, blurs"),
}


def build(name: str, settings: ModelSettings, shape: Shape, classes: int = 0) -> GenerativeModel:
    """The model called `name` for pictures of this shape, of so many classes where they have any.

    Raises UnsuitableSizeError, or UnsuitableOptionError for classes where it cannot learn them.
    """
    return choose("model", MODELS, name).build(settings, shape, classes)


__all__ = [
    "MODELS",
    "AdversarialModel",
    "EncodingModel",
    "Entry",
    "GenerativeModel",
    "Generator",
    "ModelSettings",
    "Shape",
    "UnsuitableOptionError",
    "UnsuitableSizeError",
    "Views",
    "build",
    "paint",
]
