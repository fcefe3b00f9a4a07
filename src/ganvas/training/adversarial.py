"""One step of the adversarial game: the discriminator moves, then the generator.

Algorithm 1 of Generative Adversarial Nets (Goodfellow et al., 2014), in the lesson's form: the
discriminator learns from a batch of generated images labelled 0 and a batch of real ones labelled
1, then the generator learns through the frozen discriminator towards 1.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from ganvas.augmentation import ada
from ganvas.augmentation.diffaugment import AUGMENTATIONS, partly
from ganvas.config.adversarial import AdversarialSettings
from ganvas.data.loader import Batch, Loader
from ganvas.losses import ADVERSARIAL_LOSSES, AdversarialLoss
from ganvas.losses.regularization import between, one_centred, path_length, zero_centred
from ganvas.models import AdversarialModel, GenerativeModel, UnsuitableOptionError, Views
from ganvas.models.buffers import buffers_restored
from ganvas.runtime.precision import Precision
from ganvas.runtime.rng import Stream
from ganvas.training import signals
from ganvas.training.optim import (
    Portion,
    Scalars,
    descend,
    groups_by_rate,
    set_rate,
)
from ganvas.training.schedules import fading, learning_rate, waning
from ganvas.training.state import Purpose, TrainingState, latents

# Settings that may be changed while a run goes on: the live hyperparameters.
PENALTIES = ("r1", "r2", "gp")
LIVE = (
    "lr_g", "lr_d", "d_steps", "skip_d_below", "label_smoothing", "instance_noise", *PENALTIES,
    "path_length", "augment_share",
)  # fmt: skip

FEWER = 2  # the batch is divided by this where path lengths are taken (Karras et al., 2020)
PATH_DECAY = 0.01  # how much of the mean path length is new at each penalty


@dataclass(frozen=True)
class Shown:
    """What both players look at in one step, as the discriminator is shown it."""

    real: Views
    fake: Views
    batch: Batch  # which has the labels of both
    spreads: Scalars  # how much the images of each kind differ


@dataclass(frozen=True)
class Looks:
    """What is shown of one batch, micro-batch by micro-batch, as often as it is asked for."""

    count: int  # of micro-batches
    shown: Callable[[bool], Iterator[Shown]]  # with gradients of the generator, or without

    def for_both(self) -> tuple[Iterable[Shown], Iterable[Shown]]:
        """The same fakes for the discriminator and for the generator.

        Those of a batch that is whole are kept from one to the other. Micro-batches do not fit into
        memory together: they are drawn again, from the same streams.
        """
        if self.count == 1:
            kept = [*self.shown(True)]
            return kept, kept
        return self.shown(False), self.shown(True)


@dataclass(frozen=True)
class AdversarialTrainer:
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
        knobs = {name: float(getattr(rules, name)) for name in LIVE}
        return TrainingState(model, optimizers, knobs, seed)

    def step(self, state: TrainingState, feed: Loader, fraction: float) -> Scalars:
        """Both moves, and scalars of what was seen.

        Raises NonFiniteError, having kept nothing of the move that failed.
        """
        model, knobs = _players(state.model), state.knobs
        state.grow(fraction)
        rate = learning_rate(fraction, self.settings.decay_from)
        set_rate(state.optimizers["discriminator"], knobs["lr_d"] * rate)
        set_rate(state.optimizers["generator"], knobs["lr_g"] * rate)
        noise = knobs["instance_noise"] * fading(fraction)
        due = self._due_penalties(state, fraction)
        shown = state.images
        with buffers_restored(model, on_failure_only=True):
            for _ in range(int(knobs["d_steps"]) - 1):
                looks = self._dealt(state, model, feed, noise)
                self._discriminate(state, model, looks.shown(False), due)
            judged, drawn = self._dealt(state, model, feed, noise).for_both()
            seen = self._discriminate(state, model, judged, due)
            seen |= self._adapt(state, seen["sureness"], state.images - shown)
            return seen | self._generate(state, model, drawn)

    def _dealt(
        self, state: TrainingState, model: AdversarialModel, feed: Loader, noise: float
    ) -> Looks:
        """What is shown of the next batch: the same each time that it is asked for."""
        portions = state.next_batch(feed).portions(state.accumulate)
        share = state.knobs["augment_share"]  # of now: it is adapted between the two

        def shown(learning: bool) -> Iterator[Shown]:
            for portion in portions:
                stream = _stream(state, Purpose.FAKES, portion)
                with self.precision.autocast(), torch.set_grad_enabled(learning):
                    drawn = latents(model.generator, portion.labels, stream)
                    fake = model.fake(drawn, stream)
                spreads = {
                    "spread_real": signals.spread(portion.images),
                    "spread_fake": signals.spread(fake[-1]),
                }
                varying = _stream(state, Purpose.AUGMENTATION, portion)
                blurring = _stream(state, Purpose.INSTANCE_NOISE, portion)
                real = self._shown(model.view(portion.images), share, noise, varying, blurring)
                fake = self._shown(fake, share, noise, varying, blurring)
                yield Shown(real, fake, portion, spreads)

        return Looks(len(portions), shown)

    def _shown(
        self, views: Views, share: float, noise: float, varying: Stream, blurring: Stream
    ) -> Views:
        """Views as the discriminator is shown them; both moves look at the same."""
        for augmentation in AUGMENTATIONS[self.settings.augment or "none"] if share else ():
            views = partly(augmentation, share, views, varying)
        return [_noisy(view, noise, blurring) for view in views] if noise else views

    def _discriminate(
        self,
        state: TrainingState,
        model: AdversarialModel,
        looks: Iterable[Shown],
        due: dict[str, float],
    ) -> Scalars:
        judged = (self._judged(state, model, now, due) for now in looks)
        return descend(state.optimizers["discriminator"], judged, "_d", signals.due(state.step))

    def _judged(
        self, state: TrainingState, model: AdversarialModel, now: Shown, due: dict[str, float]
    ) -> Portion:
        """What the discriminator learns from what is shown."""
        shown = _as_leaves(now, "r1" in due, "r2" in due)
        with (
            self.precision.autocast(),
            signals.inputs_of(model.verdict, signals.due(state.step)) as features,
        ):
            real, fake = model.judge_both(shown.real, shown.fake, now.batch.labels)
        loss = self.loss(state).discriminator(real, fake, 1.0 - state.knobs["label_smoothing"])
        seen = self._seen(state, real, fake, loss) | now.spreads | _feature_spreads(features)
        if self._rests(state, loss):
            return Portion(
                now.batch.share, None, seen | {"skipped": torch.ones_like(loss.detach())}
            )
        penalties = self._penalties(state, model, due, shown, real, fake)
        loss = loss + sum(due[name] * penalty for name, penalty in penalties.items())
        seen |= {name: penalty.detach() for name, penalty in penalties.items()}
        return Portion(now.batch.share, loss, seen)

    def _seen(self, state: TrainingState, real: Tensor, fake: Tensor, loss: Tensor) -> Scalars:
        """What is told of the discriminator's scores."""
        return {
            "loss_d": loss.detach(),
            "d_real": real.detach().sigmoid().mean(),
            "d_fake": fake.detach().sigmoid().mean(),
            "sureness": ada.sureness(real.detach(), fake.detach(), self.loss(state).undecided),
        }

    def _rests(self, state: TrainingState, loss: Tensor) -> bool:
        """Whether the discriminator is so far ahead that it does not move."""
        threshold = state.knobs["skip_d_below"]
        return bool(threshold) and float(loss.detach()) < threshold

    def _penalties(
        self,
        state: TrainingState,
        model: AdversarialModel,
        due: dict[str, float],
        shown: Shown,
        real: Tensor,
        fake: Tensor,
    ) -> Scalars:
        """Those that are due; images must have led to the scores of real and fake."""
        found: Scalars = {}
        if "r1" in due:
            found["r1"] = zero_centred(real, shown.real)
        if "r2" in due:
            found["r2"] = zero_centred(fake, shown.fake)
        if "gp" in due:
            found["gp"] = self._gradient_penalty(state, model, shown)
        return found

    def _adapt(self, state: TrainingState, sureness: Tensor, count: int) -> Scalars:
        """Choose the share of images that is varied from the next step on, if it is due.

        Adaptive augmentation (Karras et al., 2020); `count` images were judged in this step.
        """
        target, knobs = self.settings.augment_target, state.knobs
        if not target or state.step % ada.EVERY:
            return {}
        knobs["augment_share"] = ada.adapted(
            knobs["augment_share"], float(sureness), target, ada.EVERY * count
        )
        return {"varied": sureness.new_tensor(knobs["augment_share"])}

    def _gradient_penalty(
        self, state: TrainingState, model: AdversarialModel, shown: Shown
    ) -> Tensor:
        stream = _stream(state, Purpose.GRADIENT_PENALTY, shown.batch)
        mixed = between(shown.real, shown.fake, stream)
        views = [view.detach().requires_grad_() for view in mixed]
        with self.precision.autocast():
            scores = model.judge(views, shown.batch.labels)
        return one_centred(scores, views)

    def _due_penalties(self, state: TrainingState, fraction: float) -> dict[str, float]:
        """Weights of the discriminator's penalties in this step, where there are any."""
        left = self._due(state) * waning(fraction, self.settings.penalty_end)
        weights = {name: left * state.knobs[name] for name in PENALTIES}
        return {name: weight for name, weight in weights.items() if weight}

    def _due(self, state: TrainingState) -> int:
        """How much penalties count in this step: seldom at all, and then in proportion more.

        Lazy regularisation (Karras et al., 2020).
        """
        every = self.settings.penalty_every
        return 0 if state.step % every else every

    def _generate(
        self, state: TrainingState, model: AdversarialModel, looks: Iterable[Shown]
    ) -> Scalars:
        taught = (self._taught(state, model, now) for now in looks)
        with _frozen(model.discriminator):
            seen = descend(state.optimizers["generator"], taught, "_g", signals.due(state.step))
        if "path_mean" in seen:
            model.mean_length.lerp_(seen["path_mean"], PATH_DECAY)
        return seen

    def _taught(self, state: TrainingState, model: AdversarialModel, now: Shown) -> Portion:
        """What the generator learns from the discriminator's scores of what is shown."""
        rule = self.loss(state)
        with self.precision.autocast():
            fake = model.judge(now.fake, now.batch.labels)
            real = model.judge(now.real, now.batch.labels) if rule.paired else fake
        loss = rule.generator(real, fake)
        seen = {"loss_g": loss.detach()}
        if weight := self._due(state) * state.knobs["path_length"]:
            lengths, share = self._path_lengths(state, model, now.batch)
            if len(lengths):  # not of a single image, which may have none
                counts = share / now.batch.share
                penalty = counts * path_length(lengths, model.mean_length)
                mean = counts * lengths.detach().mean()
                seen |= {"path_length": penalty.detach(), "path_mean": mean}
                loss = loss + weight * penalty
        return Portion(now.batch.share, loss, seen)

    def _path_lengths(
        self, state: TrainingState, model: AdversarialModel, batch: Batch
    ) -> tuple[Tensor, float]:
        """Path lengths of other latents, as many as every second image, and their share of all.

        That is not the share of the images where a micro-batch has an odd number of them.
        """
        labels = batch.labels[-batch.first % FEWER :: FEWER]
        if not len(labels):
            return labels.new_zeros(0), 0.0
        total, first = -(-batch.total // FEWER), -(-batch.first // FEWER)
        rows = slice(first, first + len(labels))
        stream = state.stream(Purpose.PATH_LENGTH, labels.device, total, rows)
        with self.precision.autocast():
            lengths = model.path_lengths(latents(model.generator, labels, stream), stream)
        return lengths, len(labels) / total

    def loss(self, state: TrainingState) -> AdversarialLoss:
        """How the players are scored now."""
        return loss_of(self.settings, state)


def loss_of(settings: AdversarialSettings, state: TrainingState) -> AdversarialLoss:
    """The loss that was asked for, until a treatment has paired real and generated images."""
    return ADVERSARIAL_LOSSES["relativistic" if state.paired else settings.loss].loss


def _players(model: GenerativeModel) -> AdversarialModel:
    assert isinstance(model, AdversarialModel)  # the catalogue pairs models with their game
    return model


def _stream(state: TrainingState, purpose: Purpose, batch: Batch) -> Stream:
    """Of a step's random numbers for a purpose, those of this part of its batch."""
    return state.stream(purpose, batch.images.device, batch.total, batch.rows)


def _noisy(view: Tensor, noise: float, stream: Stream) -> Tensor:
    """Instance noise (Sonderby et al., 2017): both kinds of image blur into each other."""
    return view + noise * stream.normal(*view.shape)


def _feature_spreads(features: list[Tensor]) -> Scalars:
    """Of what went before the verdict, real images first, if it was looked at."""
    if not features:
        return {}
    real, fake = torch.cat(features).chunk(2)
    return {
        "features_real": signals.feature_spread(real),
        "features_fake": signals.feature_spread(fake),
    }


def _as_leaves(now: Shown, real: bool, fake: bool) -> Shown:
    """The same images as if nobody had drawn them, with slopes where they are wanted."""
    return replace(
        now,
        real=[view.detach().requires_grad_(real) for view in now.real],
        fake=[view.detach().requires_grad_(fake) for view in now.fake],
    )


def _freeze(model: AdversarialModel, count: int) -> None:
    """Keep the first layers of the discriminator from learning.

    Freeze the Discriminator (Mo, Cho and Shin, 2020): of a trained one they know already what
    images are made of, and few new images would spoil them.
    """
    layers = model.layers_from_input()
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
