"""One step of the adversarial game: the discriminator moves, then the generator.

Algorithm 1 of Generative Adversarial Nets (Goodfellow et al., 2014), in the lesson's form: the
discriminator learns from a batch of generated pictures labelled 0 and a batch of real ones labelled
1, then the generator learns through the frozen discriminator towards 1.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import sqrt
from typing import Annotated, Literal

import torch
from pydantic import ConfigDict, Field, PositiveFloat
from pydantic.dataclasses import dataclass as settings
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from ganvas.losses import ADVERSARIAL_LOSSES, AdversarialLoss
from ganvas.models import AdversarialModel, GenerativeModel, Shape, Views
from ganvas.training.descent import Scalars, descend, restored_unless_finite, set_rate
from ganvas.training.feed import Feed
from ganvas.training.precision import Precision
from ganvas.training.schedules import fading, learning_rate
from ganvas.training.state import TrainingState, latents

# Settings that may be turned while a run goes on.
KNOBS = ("lr_g", "lr_d", "d_steps", "skip_d_below", "label_smoothing", "instance_noise")

LossName = Literal["bce", "saturating", "least-squares", "hinge", "relativistic"]


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
    beta1: Annotated[float, Field(ge=0, lt=1, description="Adam's first moment")] = 0.5
    beta2: Annotated[float, Field(ge=0, lt=1, description="Adam's second moment")] = 0.999
    weight_decay: Annotated[float, Field(ge=0, description="Adam's L2 penalty")] = 0.0
    decay_from: Annotated[
        float, Field(ge=0, le=1, description="fraction of the run after which learning rates fall")
    ] = 1.0

    def __post_init__(self) -> None:
        if self.label_smoothing and not ADVERSARIAL_LOSSES[self.loss].loss.labels:
            raise ValueError(f"--label-smoothing means nothing to the loss {self.loss!r}")

    def settled(self, shape: Shape) -> "AdversarialSettings":
        """With the usual learning rates for pictures of this shape where none are set."""
        usual = usual_rate(shape)
        return replace(self, lr_g=self.lr_g or usual, lr_d=self.lr_d or usual)


def usual_rate(shape: Shape) -> float:
    """Learning rate for pictures of this shape: the larger they are, the slower.

    0.002 at 32x32, 0.001 at 64x64 (measured: benchmarks/NOTES.md), and on in that proportion to the
    side, which meets the 0.0002 of Radford et al. (2016) near their larger sizes.
    """
    return 2e-3 * 32 / sqrt(shape[1] * shape[2])


@dataclass(frozen=True)
class Round:
    """What both players look at in one step."""

    real: Tensor
    fake: Views
    noise: float
    stream: torch.Generator


@dataclass(frozen=True)
class AdversarialGame:
    """The rules of the game; what changes while it is played is in the state."""

    settings: AdversarialSettings
    precision: Precision

    def start(self, model: GenerativeModel, seed: int) -> TrainingState:
        """A run that has not begun."""
        players = {"generator": model.generator, "discriminator": _players(model).discriminator}
        rules = self.settings
        optimizers: dict[str, Optimizer] = {
            name: Adam(
                player.parameters(),
                betas=(rules.beta1, rules.beta2),
                weight_decay=rules.weight_decay,
                fused=True,
            )
            for name, player in players.items()
        }
        settled = rules.settled(model.generator.shape)
        knobs = {name: float(getattr(settled, name)) for name in KNOBS}
        return TrainingState(model, optimizers, knobs, seed)

    def step(self, state: TrainingState, feed: Feed, fraction: float) -> Scalars:
        """Both moves, and scalars of what was seen.

        Raises NonFiniteError, having kept nothing of the move that failed.
        """
        model, knobs = _players(state.model), state.knobs
        rate = learning_rate(fraction, self.settings.decay_from)
        set_rate(state.optimizers["discriminator"], knobs["lr_d"] * rate)
        set_rate(state.optimizers["generator"], knobs["lr_g"] * rate)
        noise = knobs["instance_noise"] * fading(fraction)
        with restored_unless_finite(model):
            for _ in range(int(knobs["d_steps"])):
                real = feed.next(state)
                stream = state.stream(real.device)
                with self.precision.autocast():
                    fake = model.fake(latents(model.generator, len(real), stream))
                seen = self._discriminate(state, model, Round(real, fake, noise, stream))
            seen |= self._generate(state, model, Round(real, fake, noise, stream))
        return seen

    def _discriminate(self, state: TrainingState, model: AdversarialModel, now: Round) -> Scalars:
        with self.precision.autocast():
            real = model.judge(_noisy(model.view(now.real), now))
            fake = model.judge(_noisy([view.detach() for view in now.fake], now))
        loss = self._loss.discriminator(real, fake, 1.0 - state.knobs["label_smoothing"])
        seen = {
            "loss_d": loss.detach(),
            "d_real": real.detach().sigmoid().mean(),
            "d_fake": fake.detach().sigmoid().mean(),
        }
        threshold = state.knobs["skip_d_below"]
        if threshold and float(seen["loss_d"]) < threshold:
            return seen | {"skipped": torch.ones(())}
        return seen | {"gradient_d": descend(state.optimizers["discriminator"], loss)}

    def _generate(self, state: TrainingState, model: AdversarialModel, now: Round) -> Scalars:
        with _frozen(model.discriminator):
            with self.precision.autocast():
                fake = model.judge(_noisy(now.fake, now))
                paired = self._loss.paired
                real = model.judge(_noisy(model.view(now.real), now)) if paired else fake
            loss = self._loss.generator(real, fake)
            norm = descend(state.optimizers["generator"], loss)
        return {"loss_g": loss.detach(), "gradient_g": norm}

    @property
    def _loss(self) -> AdversarialLoss:
        return ADVERSARIAL_LOSSES[self.settings.loss].loss


def _players(model: GenerativeModel) -> AdversarialModel:
    assert isinstance(model, AdversarialModel)  # the catalogue pairs models with their game
    return model


def _noisy(views: Views, now: Round) -> Views:
    """Instance noise (Sonderby et al., 2017): both kinds of picture blur into each other."""
    if not now.noise:
        return views
    return [
        view + now.noise * torch.randn(view.shape, generator=now.stream, device=view.device)
        for view in views
    ]


@contextmanager
def _frozen(player: nn.Module) -> Iterator[None]:
    """Gradients flow through the player and leave it alone, which also saves their cost."""
    player.requires_grad_(False)
    try:
        yield
    finally:
        player.requires_grad_(True)
