"""How two players learn: losses, learning rates, regularisation, augmentation."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass as settings

from ganvas.augmentation.diffaugment import AugmentationName
from ganvas.losses import ADVERSARIAL_LOSSES
from ganvas.runtime.validation import STRICT

LossName = Literal[
    "bce",
    "saturating",
    "least-squares",
    "hinge",
    "wasserstein",
    "relativistic",
    "relativistic-hinge",
]


DiscriminatorName = Literal["own", "pretrained", "both"]
"""Whose logits train the generator: the model's own discriminator's, those of one that looks
through a pretrained network, or both."""


BY_SIZE = {"default": "by image size: 0.002 at 32x32"}
BY_NUMBER = {"default": "by the number of images"}


@settings(frozen=True, kw_only=True, config=STRICT)
class AdversarialSettings:
    """How the two players learn.

    What has no default here follows from model and images: config/resolve.py.
    """

    loss: Annotated[LossName, Field(description="Adversarial loss.")] = "bce"
    lr_g: Annotated[
        float,
        Field(gt=0, description="Learning rate of the generator.", json_schema_extra=BY_SIZE),
    ]
    lr_d: Annotated[
        float,
        Field(gt=0, description="Learning rate of the discriminator.", json_schema_extra=BY_SIZE),
    ]
    discriminator: Annotated[
        DiscriminatorName,
        Field(
            description="Discriminator: the model's own, one on a pretrained network, or both.",
            json_schema_extra={"exceptions": "own for grey images and below 32x32"},
        ),
    ] = "own"
    lr_heads: Annotated[
        float,
        Field(gt=0, description="Learning rate of the heads on the pretrained network."),
    ] = 1e-3
    match: Annotated[
        float,
        Field(
            ge=0,
            description="Weight of matching real images as the pretrained network sees them.",
        ),
    ] = 3.0
    heads_noise: Annotated[
        float,
        Field(
            ge=0,
            description="Standard deviation of noise before the pretrained network; decays to 0.",
        ),
    ] = 0.3
    d_steps: Annotated[
        int, Field(ge=1, le=1000, description="Number of discriminator steps per generator step.")
    ] = 1
    skip_d_below: Annotated[
        float, Field(ge=0, description="Discriminator loss below which its step is skipped.")
    ] = 0.0
    label_smoothing: Annotated[
        float,
        Field(
            ge=0,
            lt=0.5,
            description="One-sided label smoothing: the target for real is 1 minus this.",
        ),
    ] = 0.0
    instance_noise: Annotated[
        float,
        Field(
            ge=0,
            description="Standard deviation of noise on the discriminator's input; decays to 0.",
        ),
    ] = 0.0
    augment: Annotated[
        AugmentationName,
        Field(
            description="Differentiable augmentation of the discriminator's input.",
            json_schema_extra={"default": "shift below 5,000 images, otherwise none"},
        ),
    ]
    augment_share: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="Augmentation probability.",
            json_schema_extra={"default": "1"},
        ),
    ]
    augment_target: Annotated[
        float,
        Field(
            ge=0,
            lt=1,
            description="ADA target for r_t, 0.6 in the paper; 0: fixed probability.",
            json_schema_extra={"default": "0"},
        ),
    ]
    r1: Annotated[
        float,
        Field(
            ge=0,
            description="Weight of the R1 gradient penalty, on real images.",
            json_schema_extra={
                "default": "by image size for few images and relativistic losses, otherwise 0"
            },
        ),
    ]
    r2: Annotated[
        float,
        Field(
            ge=0,
            description="Weight of the R2 gradient penalty, on generated images.",
            json_schema_extra={"default": "that of R1 for relativistic losses, otherwise 0"},
        ),
    ]
    gp: Annotated[float, Field(ge=0, description="Weight of the WGAN-GP gradient penalty.")] = 0.0
    path_length: Annotated[
        float, Field(ge=0, description="Weight of path-length regularisation (StyleGAN).")
    ] = 0.0
    penalty_every: Annotated[
        int, Field(ge=1, le=10**6, description="Number of steps between lazy regularisations.")
    ] = 4
    penalty_end: Annotated[
        float,
        Field(gt=0, le=1, description="Fraction of the penalty weights left at the end."),
    ] = 1.0
    freeze: Annotated[
        int, Field(ge=0, description="Number of discriminator layers to freeze, with --from.")
    ] = 0
    beta1: Annotated[float, Field(ge=0, lt=1, description="Adam's beta 1.")] = 0.5
    beta2: Annotated[float, Field(ge=0, lt=1, description="Adam's beta 2.")] = 0.999
    weight_decay: Annotated[float, Field(ge=0, description="Adam's L2 penalty.")] = 0.0
    decay_from: Annotated[
        float,
        Field(ge=0, le=1, description="Fraction of the run after which learning rates decay to 0."),
    ] = 1.0

    def __post_init__(self) -> None:
        if self.label_smoothing and not ADVERSARIAL_LOSSES[self.loss].loss.labels:
            raise ValueError(f"--label-smoothing means nothing to the loss {self.loss!r}")
