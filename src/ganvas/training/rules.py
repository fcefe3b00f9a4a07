"""The rules of the adversarial game, and what is usual for pictures of a size and number."""

from dataclasses import asdict, dataclass, replace
from math import sqrt
from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat
from pydantic.dataclasses import dataclass as settings

from ganvas.augmentation.diffaugment import AugmentationName
from ganvas.losses import ADVERSARIAL_LOSSES
from ganvas.models import Shape
from ganvas.runtime.validation import STRICT

# Settings that may be turned while a run goes on.
PENALTIES = ("r1", "r2", "gp")
KNOBS = (
    "lr_g", "lr_d", "d_steps", "skip_d_below", "label_smoothing", "instance_noise", *PENALTIES,
    "path_length", "augment_share",
)  # fmt: skip

# A set of fewer pictures is learnt by heart within minutes: it is varied, and the discriminator
# kept smooth. In a minute on 10,000 digits that only costs steps (benchmarks/NOTES.md).
FEW = 5_000


LossName = Literal[
    "bce",
    "saturating",
    "least-squares",
    "hinge",
    "wasserstein",
    "relativistic",
    "relativistic-hinge",
]


@settings(frozen=True, config=STRICT)
class AdversarialSettings:
    """How the two players learn."""

    loss: Annotated[LossName, Field(description="adversarial loss")] = "bce"
    lr_g: Annotated[
        PositiveFloat | None,
        Field(description="learning rate of the generator; unset: by size, 0.002 at 32x32"),
    ] = None
    lr_d: Annotated[
        PositiveFloat | None,
        Field(description="learning rate of the discriminator; unset: by size, 0.002 at 32x32"),
    ] = None
    d_steps: Annotated[
        int, Field(ge=1, le=1000, description="discriminator moves per generator move")
    ] = 1
    skip_d_below: Annotated[
        float, Field(ge=0, description="skip the discriminator's move while its loss is below this")
    ] = 0.0
    label_smoothing: Annotated[
        float, Field(ge=0, lt=0.5, description="real pictures count as 1 minus this")
    ] = 0.0
    instance_noise: Annotated[
        float, Field(ge=0, description="noise on what the discriminator sees, fading to none")
    ] = 0.0
    augment: Annotated[
        AugmentationName | None,
        Field(description="how pictures are varied when judged; unset: by their number"),
    ] = None
    augment_share: Annotated[
        float | None,
        Field(ge=0, le=1, description="share of pictures that are varied; unset: by their number"),
    ] = None
    augment_target: Annotated[
        float | None,
        Field(
            ge=0,
            lt=1,
            description="vary more while the discriminator is surer of real pictures than this, "
            "less otherwise; 0: always as many; unset: by their number",
        ),
    ] = None
    r1: Annotated[
        NonNegativeFloat | None,
        Field(
            description="weight of the R1 penalty; unset: by size for few pictures and for "
            "relativistic losses, otherwise none"
        ),
    ] = None
    r2: Annotated[
        NonNegativeFloat | None,
        Field(
            description="weight of the same penalty at generated pictures; "
            "unset: that of R1 for relativistic losses, which need both"
        ),
    ] = None
    gp: Annotated[
        NonNegativeFloat,
        Field(description="weight of the Wasserstein gradient penalty, between real and generated"),
    ] = 0.0
    path_length: Annotated[
        NonNegativeFloat,
        Field(description="weight of even steps from style to picture, for models with styles"),
    ] = 0.0
    penalty_every: Annotated[
        int, Field(ge=1, le=10**6, description="steps from one penalty to the next")
    ] = 4
    penalty_end: Annotated[
        float,
        Field(gt=0, le=1, description="share of the penalties' weights that is left at the end"),
    ] = 1.0
    freeze: Annotated[
        int, Field(ge=0, description="layers of the discriminator that learn nothing, for --from")
    ] = 0
    beta1: Annotated[float, Field(ge=0, lt=1, description="Adam's first moment")] = 0.5
    beta2: Annotated[float, Field(ge=0, lt=1, description="Adam's second moment")] = 0.999
    weight_decay: Annotated[float, Field(ge=0, description="Adam's L2 penalty")] = 0.0
    decay_from: Annotated[
        float, Field(ge=0, le=1, description="fraction of the run after which learning rates fall")
    ] = 1.0

    def __post_init__(self) -> None:
        if self.label_smoothing and not ADVERSARIAL_LOSSES[self.loss].loss.labels:
            raise ValueError(f"--label-smoothing means nothing to the loss {self.loss!r}")

    def _settled_augmentation(self, count: int) -> dict[str, Any]:
        """What is usual for so many pictures, unless a kind of variation was asked for."""
        usual = usual_augmentation(count)
        if self.augment is not None:
            usual = replace(usual, augment=self.augment, augment_share=1.0, augment_target=0.0)
        asked = {name: getattr(self, name) for name in ("augment_share", "augment_target")}
        return asdict(usual) | {name: value for name, value in asked.items() if value is not None}

    def settled(self, shape: Shape, count: int) -> "AdversarialSettings":
        """With what is usual for `count` pictures of this shape where nothing is set."""
        rate, paired = usual_rate(shape), ADVERSARIAL_LOSSES[self.loss].loss.paired
        if self.r1 is not None:
            r1 = self.r1
        elif paired:
            r1 = usual_paired_penalty(shape)
        else:
            r1 = usual_r1(shape) if count < FEW else 0.0
        return replace(
            self,
            lr_g=rate if self.lr_g is None else self.lr_g,
            lr_d=rate if self.lr_d is None else self.lr_d,
            **self._settled_augmentation(count),
            r1=r1,
            r2=(r1 if paired else 0.0) if self.r2 is None else self.r2,
        )


def usual_rate(shape: Shape) -> float:
    """Learning rate for pictures of this shape: the larger they are, the slower.

    0.002 at 32x32, 0.001 at 64x64 (measured: benchmarks/NOTES.md), and on in that proportion to the
    side, which meets the 0.0002 of Radford et al. (2016) near their larger sizes.
    """
    return 2e-3 * 32 / sqrt(shape[1] * shape[2])


def usual_r1(shape: Shape) -> float:
    """Weight of the R1 penalty: in proportion to the number of pixels, 0.1 at 64x64.

    The proportion is that of Karras et al. (2020), the factor measured: benchmarks/NOTES.md.
    """
    return 0.1 * shape[1] * shape[2] / 64**2


def usual_paired_penalty(shape: Shape) -> float:
    """Weight of R1 and of R2 where real and generated pictures are paired: 0.1 at 32x32, 0.4 at
    64x64, and three times that without colours.

    Measured on digits and on emoji (benchmarks/NOTES.md); in proportion to the number of pixels as
    in Karras et al. (2020). Huang et al. (2024) take 0.05 to 2 at these sizes.
    """
    return (0.3 if shape[0] == 1 else 0.1) * shape[1] * shape[2] / 32**2


@dataclass(frozen=True)
class Augmentation:
    """How pictures are varied, how many of them, and how sure the discriminator may be."""

    augment: AugmentationName
    augment_share: float
    augment_target: float


def usual_augmentation(count: int) -> Augmentation:
    """All of a few pictures, and none of more: on digits an adaptive share was tried and costs.

    They are moved and keep their colours: recoloured too they were learnt less well in most trials,
    of 3,391 emoji and of 309 of them (benchmarks/NOTES.md).
    """
    return Augmentation("shift" if count < FEW else "none", 1.0, 0.0)
