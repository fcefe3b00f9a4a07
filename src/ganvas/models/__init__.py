"""Generative models. To add one: write its file with its SPEC, then add its line to MODELS."""

from ganvas.models import compact, dcgan, fc, msg, progressive, stylegan, vae
from ganvas.models.base import (
    AdversarialModel,
    EncodingModel,
    GenerativeModel,
    Generator,
    Pyramid,
    Shape,
    UnsuitableOptionError,
    UnsuitableSizeError,
    generate,
)
from ganvas.models.compact import CompactSettings
from ganvas.models.dcgan import DCGANSettings
from ganvas.models.fc import FCSettings
from ganvas.models.msg import MSGSettings
from ganvas.models.progressive import ProgressiveSettings
from ganvas.models.spec import BudgetRow, ModelSpec
from ganvas.models.stylegan import StyleGANSettings
from ganvas.models.vae import VAESettings
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

MODELS = {
    spec.name: spec
    for spec in (
        fc.SPEC,
        dcgan.SPEC,
        compact.SPEC,
        progressive.SPEC,
        msg.SPEC,
        stylegan.SPEC,
        vae.SPEC,
    )
}
DEFAULT = compact.SPEC.name  # measurements of its parts: benchmarks/NOTES.md


def spec_of(name: str) -> ModelSpec:
    """The spec of the model called `name`; raises UnknownNameError with suggestions."""
    return choose("model", MODELS, name)


def build(name: str, settings: ModelSettings, shape: Shape, classes: int = 0) -> GenerativeModel:
    """Build the model called `name` for images of this shape, with `classes` classes (0: none).

    Raises UnsuitableSizeError, or UnsuitableOptionError if the model cannot learn classes.
    """
    return spec_of(name).build(settings, shape, classes)


__all__ = [
    "DEFAULT",
    "MODELS",
    "AdversarialModel",
    "BudgetRow",
    "EncodingModel",
    "GenerativeModel",
    "Generator",
    "ModelSettings",
    "ModelSpec",
    "Pyramid",
    "Shape",
    "UnsuitableOptionError",
    "UnsuitableSizeError",
    "build",
    "generate",
    "spec_of",
]
