"""One step of the adversarial game: the discriminator moves, then the generator.

Algorithm 1 of Generative Adversarial Nets (Goodfellow et al., 2014), in the lesson's form: the
discriminator learns from a batch of generated pictures labelled 0 and a batch of real ones labelled
1, then the generator learns through the frozen discriminator towards 1.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import chain
from math import sqrt
from typing import Annotated, Any, Literal

import torch
from pydantic import ConfigDict, Field, NonNegativeFloat, PositiveFloat
from pydantic.dataclasses import dataclass as settings
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from ganvas.data.augment import AUGMENTATIONS, AugmentationName, partly
from ganvas.losses import ADVERSARIAL_LOSSES, AdversarialLoss
from ganvas.losses.penalties import between, one_centred, zero_centred
from ganvas.models import (
    AdversarialModel,
    GenerativeModel,
    Shape,
    UnsuitableOptionError,
    Views,
)
from ganvas.training import adaptive
from ganvas.training.descent import (
    Scalars,
    descend,
    groups_by_rate,
    restored_unless_finite,
    set_rate,
)
from ganvas.training.feed import Feed
from ganvas.training.precision import Precision
from ganvas.training.schedules import fading, learning_rate
from ganvas.training.state import TrainingState, latents

# Settings that may be turned while a run goes on.
PENALTIES = ("r1", "r2", "gp")
KNOBS = (
    "lr_g", "lr_d", "d_steps", "skip_d_below", "label_smoothing", "instance_noise", *PENALTIES,
    "path_length", "augment_share",
)  # fmt: skip

# A set of fewer pictures is learnt by heart within minutes: it is varied, and the discriminator
# kept smooth. In a minute on 10,000 digits that only costs steps (benchmarks/NOTES.md).
FEW = 5_000

# Of both penalties where real and generated pictures are paired. Measured on digits at 32x32 and
# emoji at 64x64 (benchmarks/NOTES.md); Huang et al. (2024) take 0.05 to 2 at these sizes.
PAIRED_PENALTY = 0.3

FEWER = 2  # the batch is divided by this where path lengths are taken (Karras et al., 2020)

LossName = Literal[
    "bce",
    "saturating",
    "least-squares",
    "hinge",
    "wasserstein",
    "relativistic",
    "relativistic-hinge",
]


@settings(frozen=True, config=ConfigDict(extra="forbid"))
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
    d_steps: Annotated[int, Field(ge=1, description="discriminator moves per generator move")] = 1
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
            description="weight of the R1 penalty; unset: by size, for few pictures or "
            "relativistic losses only"
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
    penalty_every: Annotated[int, Field(ge=1, description="steps from one penalty to the next")] = 4
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
            r1 = PAIRED_PENALTY
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


@dataclass(frozen=True)
class Augmentation:
    """How pictures are varied, how many of them, and how sure the discriminator may be."""

    augment: AugmentationName
    augment_share: float
    augment_target: float


def usual_augmentation(count: int) -> Augmentation:
    """All of a few pictures, and none of more: on digits an adaptive share was tried and costs."""
    return Augmentation("shift+colour" if count < FEW else "none", 1.0, 0.0)


@dataclass(frozen=True)
class Shown:
    """What both players look at in one step, as the discriminator is shown it."""

    real: Views
    fake: Views
    labels: Tensor  # of both, (N, classes)


@dataclass(frozen=True)
class AdversarialGame:
    """The rules of the game; what changes while it is played is in the state."""

    settings: AdversarialSettings  # settled
    precision: Precision

    @property
    def round(self) -> int:
        """Steps from one penalty to the next; what a step costs then begins anew."""
        weights = (getattr(self.settings, name) for name in (*PENALTIES, "path_length"))
        return self.settings.penalty_every if any(weights) else 1

    def start(self, model: GenerativeModel, seed: int) -> TrainingState:
        """A run that has not begun."""
        players = {"generator": model.generator, "discriminator": _players(model).discriminator}
        rules = self.settings
        _freeze(_players(model), rules.freeze)
        optimizers: dict[str, Optimizer] = {
            name: Adam(
                groups_by_rate(model, player),
                betas=(rules.beta1, rules.beta2),
                weight_decay=rules.weight_decay,
                fused=True,
            )
            for name, player in players.items()
        }
        knobs = {name: float(getattr(rules, name)) for name in KNOBS}
        return TrainingState(model, optimizers, knobs, seed)

    def step(self, state: TrainingState, feed: Feed, fraction: float) -> Scalars:
        """Both moves, and scalars of what was seen.

        Raises NonFiniteError, having kept nothing of the move that failed.
        """
        model, knobs = _players(state.model), state.knobs
        state.grow(fraction)
        rate = learning_rate(fraction, self.settings.decay_from)
        set_rate(state.optimizers["discriminator"], knobs["lr_d"] * rate)
        set_rate(state.optimizers["generator"], knobs["lr_g"] * rate)
        noise, share = knobs["instance_noise"] * fading(fraction), knobs["augment_share"]
        with restored_unless_finite(model):
            for _ in range(int(knobs["d_steps"])):
                batch = feed.next(state)
                stream = state.stream(batch.pictures.device)
                with self.precision.autocast():
                    fake = model.fake(latents(model.generator, batch.labels, stream), stream)
                now = Shown(
                    self._shown(model.view(batch.pictures), share, noise, stream),
                    self._shown(fake, share, noise, stream),
                    batch.labels,
                )
                seen = self._discriminate(state, model, now, stream)
            seen |= self._generate(state, model, now, stream)
        return seen

    def _shown(self, views: Views, share: float, noise: float, stream: torch.Generator) -> Views:
        """Views as the discriminator is shown them; both moves look at the same."""
        for augmentation in AUGMENTATIONS[self.settings.augment or "none"] if share else ():
            views = partly(augmentation, share, views, stream)
        return [_noisy(view, noise, stream) for view in views] if noise else views

    def _discriminate(
        self, state: TrainingState, model: AdversarialModel, now: Shown, stream: torch.Generator
    ) -> Scalars:
        due = self._due_penalties(state)
        shown = Shown(
            [view.detach().requires_grad_("r1" in due) for view in now.real],
            [view.detach().requires_grad_("r2" in due) for view in now.fake],
            now.labels,
        )
        with self.precision.autocast():
            real, fake = model.judge_both(shown.real, shown.fake, now.labels)
        loss = self._loss.discriminator(real, fake, 1.0 - state.knobs["label_smoothing"])
        seen = {
            "loss_d": loss.detach(),
            "d_real": real.detach().sigmoid().mean(),
            "d_fake": fake.detach().sigmoid().mean(),
        }
        if self.settings.augment_target and state.step % adaptive.EVERY == 0:
            sure = adaptive.sureness(real.detach(), fake.detach(), self._loss.undecided)
            seen |= {"sureness": sure, "varied": self._adapt(state, sure, len(real))}
        threshold = state.knobs["skip_d_below"]
        if threshold and float(seen["loss_d"]) < threshold:
            return seen | {"skipped": torch.ones_like(loss.detach())}
        for name, weight in due.items():
            match name:
                case "r1":
                    penalty = zero_centred(real, shown.real)
                case "r2":
                    penalty = zero_centred(fake, shown.fake)
                case _:
                    penalty = self._gradient_penalty(model, shown, stream)
            seen |= {name: penalty.detach()}
            loss = loss + weight * penalty
        return seen | {"gradient_d": descend(state.optimizers["discriminator"], loss)}

    def _adapt(self, state: TrainingState, sureness: Tensor, count: int) -> Tensor:
        """The share of pictures that will be varied from now on."""
        target, knobs = self.settings.augment_target, state.knobs
        assert target is not None, "settled"
        knobs["augment_share"] = adaptive.adapted(
            knobs["augment_share"], float(sureness), target, adaptive.EVERY * count
        )
        return sureness.new_tensor(knobs["augment_share"])

    def _gradient_penalty(
        self, model: AdversarialModel, shown: Shown, stream: torch.Generator
    ) -> Tensor:
        mixed = between(shown.real, shown.fake, stream)
        views = [view.detach().requires_grad_() for view in mixed]
        with self.precision.autocast():
            scores = model.judge(views, shown.labels)
        return one_centred(scores, views)

    def _due_penalties(self, state: TrainingState) -> dict[str, float]:
        """Weights of the discriminator's penalties in this step, where there are any."""
        weights = {name: self._due(state) * state.knobs[name] for name in PENALTIES}
        return {name: weight for name, weight in weights.items() if weight}

    def _due(self, state: TrainingState) -> int:
        """How much penalties count in this step: seldom at all, and then in proportion more.

        Lazy regularisation (Karras et al., 2020).
        """
        every = self.settings.penalty_every
        return 0 if state.step % every else every

    def _generate(
        self, state: TrainingState, model: AdversarialModel, now: Shown, stream: torch.Generator
    ) -> Scalars:
        seen: Scalars = {}
        with _frozen(model.discriminator):
            with self.precision.autocast():
                fake = model.judge(now.fake, now.labels)
                real = model.judge(now.real, now.labels) if self._loss.paired else fake
            loss = self._loss.generator(real, fake)
            seen["loss_g"] = loss.detach()
            if weight := self._due(state) * state.knobs["path_length"]:
                drawn = latents(model.generator, now.labels[::FEWER], stream)
                with self.precision.autocast():
                    penalty = model.path_length_penalty(drawn, stream)
                seen["path_length"] = penalty.detach()
                loss = loss + weight * penalty
            seen["gradient_g"] = descend(state.optimizers["generator"], loss)
        return seen

    @property
    def _loss(self) -> AdversarialLoss:
        return ADVERSARIAL_LOSSES[self.settings.loss].loss


def _players(model: GenerativeModel) -> AdversarialModel:
    assert isinstance(model, AdversarialModel)  # the catalogue pairs models with their game
    return model


def _noisy(view: Tensor, noise: float, stream: torch.Generator) -> Tensor:
    """Instance noise (Sonderby et al., 2017): both kinds of picture blur into each other."""
    return view + noise * torch.randn(view.shape, generator=stream, device=view.device)


def _freeze(model: AdversarialModel, count: int) -> None:
    """Keep the first layers of the discriminator from learning.

    Freeze the Discriminator (Mo, Cho and Shin, 2020): of a trained one they know already what
    pictures are made of, and few new pictures would spoil them.
    """
    layers = model.layers_from_picture()
    if count > len(layers):
        raise UnsuitableOptionError(
            f"--freeze {count}: this discriminator has {len(layers)} layers before its verdict."
        )
    for layer in chain.from_iterable(layers[:count]):
        layer.requires_grad_(False)


@contextmanager
def _frozen(player: nn.Module) -> Iterator[None]:
    """Gradients flow through the player and leave it alone, which also saves their cost."""
    learning = [parameter for parameter in player.parameters() if parameter.requires_grad]
    for parameter in learning:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in learning:
            parameter.requires_grad_(True)
