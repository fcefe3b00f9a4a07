"""One step of adversarial training: the discriminator's, then the generator's.

Algorithm 1 of Generative Adversarial Nets (Goodfellow et al., 2014), in the lesson's form: the
discriminator learns from a batch of generated images labelled 0 and a batch of real ones labelled
1, then the generator learns through the frozen discriminator towards 1.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from ganvas.augmentation import ada
from ganvas.config.adversarial import AdversarialSettings
from ganvas.data.loader import Batch, Loader
from ganvas.losses import ADVERSARIAL_LOSSES, AdversarialLoss
from ganvas.losses.adversarial import hinge
from ganvas.losses.regularization import between, one_centred, path_length, zero_centred
from ganvas.models import AdversarialModel, GenerativeModel, UnsuitableOptionError
from ganvas.models.buffers import buffers_restored
from ganvas.runtime.distributed import gathered, summed
from ganvas.runtime.precision import Precision
from ganvas.training import heads, signals
from ganvas.training.draw import Draw, Images, Noise, draw, stream_of
from ganvas.training.optim import MicroBatchLoss, Scalars, optimize, parameter_groups, set_lr
from ganvas.training.schedules import fading, learning_rate, vanishing, waning
from ganvas.training.state import Purpose, TrainingState

# Settings that may be changed while a run goes on: the live hyperparameters.
PENALTIES = ("r1", "r2", "gp")
LIVE = (
    "lr_g", "lr_d", "d_steps", "skip_d_below", "label_smoothing", "instance_noise", *PENALTIES,
    "path_length", "augment_share",
)  # fmt: skip

FEWER = 2  # the batch is divided by this for path-length regularisation (Karras et al., 2020)
PATH_DECAY = 0.01  # weight of the new value in the running mean path length


@dataclass(frozen=True)
class AdversarialTrainer:
    """Adversarial training of generator and discriminator; what changes is in the state."""

    settings: AdversarialSettings
    precision: Precision

    @property
    def round(self) -> int:
        """Steps from one penalty to the next: the period of what a step costs."""
        weights = (getattr(self.settings, name) for name in (*PENALTIES, "path_length"))
        return self.settings.penalty_every if any(weights) else 1

    def start(self, model: GenerativeModel, seed: int) -> TrainingState:
        """The state before the first step; raises UnsuitableOptionError if `freeze` is too high."""
        game = _adversarial(model)
        _freeze(game, self.settings.freeze)
        players = {
            "generator": parameter_groups(model, game.generator),
            "discriminator": self._discriminators(game),
        }
        optimizers: dict[str, Optimizer] = {
            name: Adam(
                groups,
                betas=(self.settings.beta1, self.settings.beta2),
                weight_decay=self.settings.weight_decay,
                fused=True,
            )
            for name, groups in players.items()
        }
        live = {name: float(getattr(self.settings, name)) for name in LIVE}
        return TrainingState(model, optimizers, live, seed)

    def _discriminators(self, model: AdversarialModel) -> list[dict[str, Any]]:
        """The parameters of every discriminator; heads have a learning rate of their own."""
        own = parameter_groups(model, model.discriminator) if model.own_counts else []
        if model.projected is None:
            return own
        multiplier = self.settings.lr_heads / self.settings.lr_d
        return [*own, {"params": [*model.projected.heads.parameters()], "multiplier": multiplier}]

    def step(self, state: TrainingState, loader: Loader, fraction: float) -> Scalars:
        """Make one step of each player, the discriminator's `d_steps` times; return what to log.

        Raises NonFiniteError; the step that failed then has no effect.
        """
        model, live = _adversarial(state.model), state.live
        state.grow(fraction)
        decay = learning_rate(fraction, self.settings.decay_from)
        set_lr(state.optimizers["discriminator"], live["lr_d"] * decay)
        set_lr(state.optimizers["generator"], live["lr_g"] * decay)
        noise = Noise(
            live["instance_noise"] * fading(fraction),
            self.settings.heads_noise * vanishing(fraction),
        )
        penalties = self._penalties_due(state, fraction)
        before = state.images
        with buffers_restored(model, on_failure_only=True):
            for _ in range(int(live["d_steps"]) - 1):
                drawn = self._draw(state, model, loader, noise)
                self.discriminator_step(state, model, drawn.images(False), penalties)
            for_discriminator, for_generator = self._draw(state, model, loader, noise).for_both()
            scalars = self.discriminator_step(state, model, for_discriminator, penalties)
            scalars |= self.adapt_augmentation(state, scalars["r_t"], state.images - before)
            return scalars | self.generator_step(state, model, for_generator)

    def _draw(
        self, state: TrainingState, model: AdversarialModel, loader: Loader, noise: Noise
    ) -> Draw:
        """The images of the next batch."""
        return draw(state, model, loader, self.precision, self.settings.augment, noise)

    def discriminator_step(
        self,
        state: TrainingState,
        model: AdversarialModel,
        drawn: Iterable[Images],
        penalties: dict[str, float],
    ) -> Scalars:
        """Ascend the discriminator's objective on real and generated images, regularised."""
        measured, skips = signals.due(state.step), self._skipping(state)
        losses = (self._discriminator_loss(state, model, now, penalties, skips) for now in drawn)
        return optimize(state.optimizers["discriminator"], losses, "_d", measured)

    def _discriminator_loss(
        self,
        state: TrainingState,
        model: AdversarialModel,
        images: Images,
        penalties: dict[str, float],
        skips: Callable[[Batch, Tensor], bool],
    ) -> MicroBatchLoss:
        """The loss of every discriminator that is trained: their sum."""
        if images.seen is None or model.projected is None:
            return self._own_loss(state, model, images, penalties, skips)
        with self.precision.autocast():
            found = heads.discriminator_loss(model.projected, images.seen, images.batch.labels)
        loss = found.loss
        if model.own_counts:
            own = self._own_loss(state, model, images, penalties, skips)
            scalars = own.scalars | {"loss_heads": loss.detach()}
            return replace(own, loss=None if own.loss is None else own.loss + loss, scalars=scalars)
        scalars = {**about_logits(loss, found.real, found.fake, hinge), **images.spreads}
        if skips(images.batch, loss):
            return _skipped(images.batch, loss, scalars)
        return MicroBatchLoss(images.batch.share, loss, scalars)

    def _own_loss(
        self,
        state: TrainingState,
        model: AdversarialModel,
        images: Images,
        penalties: dict[str, float],
        skips: Callable[[Batch, Tensor], bool],
    ) -> MicroBatchLoss:
        """The loss of the model's own discriminator, with its penalties."""
        leaves = _detach(images, real="r1" in penalties, fake="r2" in penalties)
        measured = signals.due(state.step)
        with (
            self.precision.autocast(),
            signals.inputs_of(model.head, measured) as features,
        ):
            real, fake = model.discriminate_both(leaves.real, leaves.fake, images.batch.labels)
        rule = self.loss(state)
        label = 1.0 - state.live["label_smoothing"]
        loss = rule.discriminator(*_compared(rule, real, fake), label)
        scalars = {
            **about_logits(loss, real.detach(), fake.detach(), rule),
            **images.spreads,
            **_feature_spreads(features),
        }
        if skips(images.batch, loss):
            return _skipped(images.batch, loss, scalars)
        for name, weight in penalties.items():
            penalty = self._penalty(name, state, model, leaves, real, fake)
            scalars[name] = penalty.detach()
            loss = loss + weight * penalty
        return MicroBatchLoss(images.batch.share, loss, scalars)

    def _penalty(
        self,
        name: str,
        state: TrainingState,
        model: AdversarialModel,
        leaves: Images,
        real: Tensor,
        fake: Tensor,
    ) -> Tensor:
        """R1, R2 or the gradient penalty; the leaves must have led to the logits."""
        if name == "r1":
            return zero_centred(real, leaves.real)
        if name == "r2":
            return zero_centred(fake, leaves.fake)
        stream = stream_of(state, Purpose.GRADIENT_PENALTY, leaves.batch)
        mixed = [
            image.detach().requires_grad_() for image in between(leaves.real, leaves.fake, stream)
        ]
        with self.precision.autocast():
            logits = model.discriminate(mixed, leaves.batch.labels)
        return one_centred(logits, mixed)

    def _skipping(self, state: TrainingState) -> Callable[[Batch, Tensor], bool]:
        """Whether the discriminator is so far ahead that its step is skipped.

        That is known after the last micro-batch, by the loss of the whole batch.
        """
        threshold, total = state.live["skip_d_below"], 0.0

        def skips(batch: Batch, loss: Tensor) -> bool:
            nonlocal total
            if not threshold:
                return False
            total += batch.share * float(loss.detach())
            return batch.last and float(summed(torch.tensor(total))) < threshold

        return skips

    def _penalties_due(self, state: TrainingState, fraction: float) -> dict[str, float]:
        """Weights of the penalties that apply in this step, by name."""
        left = self._due(state) * waning(fraction, self.settings.penalty_end)
        weights = {name: left * state.live[name] for name in PENALTIES}
        return {name: weight for name, weight in weights.items() if weight}

    def _due(self, state: TrainingState) -> int:
        """The factor of penalties in this step: 0 in most, and N in every N-th step.

        Lazy regularisation (Karras et al., 2020), with N = `penalty_every`.
        """
        every = self.settings.penalty_every
        return 0 if state.step % every else every

    def adapt_augmentation(self, state: TrainingState, r_t: Tensor, count: int) -> Scalars:
        """Adapt the augmentation probability of the next steps, if that is due.

        Adaptive discriminator augmentation (Karras et al., 2020); the discriminator saw `count`
        real images in this step.
        """
        target, live = self.settings.augment_target, state.live
        if not target or state.step % ada.EVERY:
            return {}
        live["augment_share"] = ada.adapt(
            live["augment_share"], float(r_t), target, ada.EVERY * count
        )
        return {"augment_share": r_t.new_tensor(live["augment_share"])}

    def generator_step(
        self, state: TrainingState, model: AdversarialModel, drawn: Iterable[Images]
    ) -> Scalars:
        """Descend the generator's loss through the frozen discriminator, regularised."""
        losses = (self._generator_loss(state, model, images) for images in drawn)
        with _frozen(model.discriminators):
            measured = signals.due(state.step)
            scalars = optimize(state.optimizers["generator"], losses, "_g", measured)
        if "path_mean" in scalars:
            model.mean_length.lerp_(scalars["path_mean"], PATH_DECAY)
        return scalars

    def _generator_loss(
        self, state: TrainingState, model: AdversarialModel, images: Images
    ) -> MicroBatchLoss:
        batch = images.batch
        losses = [self._through_own(state, model, images)] if model.own_counts else []
        if images.seen is not None and model.projected is not None:
            with self.precision.autocast():
                losses.append(heads.generator_loss(model.projected, images.seen, batch.labels))
        loss = torch.stack(losses).sum()
        scalars = {"loss_g": loss.detach()}
        if images.seen is not None and (matching := images.seen.real.matching) is not None:
            real, fake = images.seen.real.activations, images.seen.fake.activations
            distance = matching.distance(real, fake)
            scalars["matching"] = distance.detach()
            loss = loss + self.settings.match * distance
        if weight := self._due(state) * state.live["path_length"]:
            lengths, share = self._path_lengths(state, model, batch)
            if len(lengths):  # a micro-batch of a single image may have none
                counts = share / batch.share
                penalty = counts * path_length(lengths, model.mean_length)
                mean = counts * lengths.detach().mean()
                scalars |= {"path_length": penalty.detach(), "path_mean": mean}
                loss = loss + weight * penalty
        return MicroBatchLoss(batch.share, loss, scalars)

    def _through_own(self, state: TrainingState, model: AdversarialModel, images: Images) -> Tensor:
        """The generator's loss through the model's own discriminator."""
        rule, labels = self.loss(state), images.batch.labels
        with self.precision.autocast():
            fake = model.discriminate(images.fake, labels)
            real = model.discriminate(images.real, labels) if rule.paired else fake
        return rule.generator(*_compared(rule, real, fake))

    def _path_lengths(
        self, state: TrainingState, model: AdversarialModel, batch: Batch
    ) -> tuple[Tensor, float]:
        """Path lengths for new latents, one for every second image, and their share of the batch.

        That share is not the micro-batch's share of the images where its number of images is odd.
        """
        labels = batch.labels[-batch.first % FEWER :: FEWER]
        if not len(labels):
            return labels.new_zeros(0), 0.0
        total, first = -(-batch.total // FEWER), -(-batch.first // FEWER)
        rows = slice(first, first + len(labels))
        stream = state.stream(Purpose.PATH_LENGTH, labels.device, total, rows)
        with self.precision.autocast():
            lengths = model.path_lengths(model.generator.draw(labels, stream), stream)
        return lengths, len(labels) / total

    def loss(self, state: TrainingState) -> AdversarialLoss:
        """The current loss of the two players."""
        return loss_of(self.settings, state)


def loss_of(settings: AdversarialSettings, state: TrainingState) -> AdversarialLoss:
    """The configured loss, or the relativistic one after a treatment has switched to it."""
    return ADVERSARIAL_LOSSES["relativistic" if state.paired else settings.loss].loss


def _adversarial(model: GenerativeModel) -> AdversarialModel:
    assert isinstance(model, AdversarialModel)  # a model's spec names its trainer
    return model


def _skipped(batch: Batch, loss: Tensor, scalars: Scalars) -> MicroBatchLoss:
    """What is logged of a step that is not made."""
    return MicroBatchLoss(batch.share, None, scalars | {"skipped": torch.ones_like(loss.detach())})


def about_logits(loss: Tensor, real: Tensor, fake: Tensor, rule: AdversarialLoss) -> Scalars:
    """What is logged of a discriminator: its loss, and its logits (N,) of both.

    D(real) and D(fake), the sigmoids of logits, only where a logit of its own means something: of
    a paired loss, and of Wasserstein's, the difference of both alone does.
    """
    shared = {"loss_d": loss.detach(), "r_t": ada.r_t(real, fake, rule.undecided)}
    if rule.undecided is None:
        return shared | {"logit_gap": (real - fake).mean()}
    d_real, d_fake = ((logits - rule.undecided).sigmoid().mean() for logits in (real, fake))
    return shared | {"d_real": d_real, "d_fake": d_fake}


def _compared(rule: AdversarialLoss, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """The logits (N,) that a loss compares: of all processes where it compares with their mean."""
    return (gathered(real)[0], gathered(fake)[0]) if rule.means else (real, fake)


def _feature_spreads(features: list[Tensor]) -> Scalars:
    """How much the head's input features differ, real images first; empty if not recorded."""
    if not features:
        return {}
    real, fake = torch.cat(features).chunk(2)
    return {
        "features_real": signals.feature_spread(real),
        "features_fake": signals.feature_spread(fake),
    }


def _detach(images: Images, real: bool, fake: bool) -> Images:
    """Detached leaf copies, requiring gradients where a penalty needs them."""
    return replace(
        images,
        real=[image.detach().requires_grad_(real) for image in images.real],
        fake=[image.detach().requires_grad_(fake) for image in images.fake],
    )


def _freeze(model: AdversarialModel, count: int) -> None:
    """Freeze the first layers of the discriminator.

    Freeze the Discriminator (Mo, Cho and Shin, 2020): the first layers of a trained discriminator
    hold general features, which fine-tuning on few images would spoil.
    """
    layers = model.layers_from_input()
    if count > len(layers):
        raise UnsuitableOptionError(
            f"--freeze {count}: this discriminator has {len(layers)} layers before its head."
        )
    for layer in chain.from_iterable(layers[:count]):
        layer.requires_grad_(False)


@contextmanager
def _frozen(players: list[nn.Module]) -> Iterator[None]:
    """Let gradients flow through these networks without computing those of their parameters."""
    parameters = chain.from_iterable(player.parameters() for player in players)
    learning = [parameter for parameter in parameters if parameter.requires_grad]
    for parameter in learning:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in learning:
            parameter.requires_grad_(True)
