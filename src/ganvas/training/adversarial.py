"""One step of the adversarial game: the discriminator moves, then the generator.

Algorithm 1 of Generative Adversarial Nets (Goodfellow et al., 2014), in the lesson's form: the
discriminator learns from a batch of generated pictures labelled 0 and a batch of real ones labelled
1, then the generator learns through the frozen discriminator towards 1.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from ganvas.data.augment import AUGMENTATIONS, partly
from ganvas.losses import ADVERSARIAL_LOSSES, AdversarialLoss
from ganvas.losses.penalties import between, one_centred, zero_centred
from ganvas.models import AdversarialModel, GenerativeModel, UnsuitableOptionError, Views
from ganvas.training import adaptive, vitals
from ganvas.training.descent import (
    Portion,
    Scalars,
    descend,
    groups_by_rate,
    restored_on_failure,
    set_rate,
)
from ganvas.training.feed import Feed
from ganvas.training.precision import Precision
from ganvas.training.rules import KNOBS, PENALTIES, AdversarialSettings
from ganvas.training.schedules import fading, learning_rate, waning
from ganvas.training.state import TrainingState, latents

FEWER = 2  # the batch is divided by this where path lengths are taken (Karras et al., 2020)


@dataclass(frozen=True)
class Shown:
    """What both players look at in one step, as the discriminator is shown it."""

    real: Views
    fake: Views
    labels: Tensor  # of both, (N, classes)
    share: float  # of the batch
    stream: torch.Generator  # for what else is drawn
    spreads: Scalars  # how much the pictures of each kind differ


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
        noise = knobs["instance_noise"] * fading(fraction)
        due = self._due_penalties(state, fraction)
        with restored_on_failure(model):
            for _ in range(int(knobs["d_steps"]) - 1):
                self._discriminate(state, model, self._dealt(state, model, feed, noise)[0], due)
            judged, drawn = self._dealt(state, model, feed, noise)
            seen = self._discriminate(state, model, judged, due)
            return seen | self._generate(state, model, drawn)

    def _dealt(
        self, state: TrainingState, model: AdversarialModel, feed: Feed, noise: float
    ) -> tuple[Iterable[Shown], Iterable[Shown]]:
        """What is shown, portion by portion: to learn to judge, and to learn to draw.

        The same fakes serve both. Where a batch is worked in portions, because it does not fit into
        memory at once, they are drawn again for the generator, from the same stream.
        """
        portions = feed.next(state).portions(state.accumulate)
        share = state.knobs["augment_share"]  # of now: judging may change it

        def looks(learning: bool) -> Iterator[Shown]:
            stream = state.stream(feed.device)
            for portion in portions:
                with self.precision.autocast(), torch.set_grad_enabled(learning):
                    drawn = latents(model.generator, portion.labels, stream)
                    fake = model.fake(drawn, stream)
                spreads = {
                    "spread_real": vitals.spread(portion.pictures),
                    "spread_fake": vitals.spread(fake[-1]),
                }
                real = self._shown(model.view(portion.pictures), share, noise, stream)
                fake = self._shown(fake, share, noise, stream)
                yield Shown(real, fake, portion.labels, portion.share, stream, spreads)

        if len(portions) == 1:
            kept = [*looks(learning=True)]
            return kept, kept
        return looks(learning=False), looks(learning=True)

    def _shown(self, views: Views, share: float, noise: float, stream: torch.Generator) -> Views:
        """Views as the discriminator is shown them; both moves look at the same."""
        for augmentation in AUGMENTATIONS[self.settings.augment or "none"] if share else ():
            views = partly(augmentation, share, views, stream)
        return [_noisy(view, noise, stream) for view in views] if noise else views

    def _discriminate(
        self,
        state: TrainingState,
        model: AdversarialModel,
        looks: Iterable[Shown],
        due: dict[str, float],
    ) -> Scalars:
        judged = (self._judged(state, model, now, due) for now in looks)
        return descend(state.optimizers["discriminator"], judged, "_d", vitals.due(state.step))

    def _judged(
        self, state: TrainingState, model: AdversarialModel, now: Shown, due: dict[str, float]
    ) -> Portion:
        """What the discriminator learns from what is shown."""
        shown = _as_leaves(now, "r1" in due, "r2" in due)
        with (
            self.precision.autocast(),
            vitals.inputs_of(model.verdict, vitals.due(state.step)) as features,
        ):
            real, fake = model.judge_both(shown.real, shown.fake, now.labels)
        loss = self.loss(state).discriminator(real, fake, 1.0 - state.knobs["label_smoothing"])
        seen = self._seen(state, real, fake, loss) | now.spreads | _feature_spreads(features)
        if self._rests(state, loss):
            return Portion(now.share, None, seen | {"skipped": torch.ones_like(loss.detach())})
        penalties = self._penalties(model, due, shown, real, fake)
        loss = loss + sum(due[name] * penalty for name, penalty in penalties.items())
        seen |= {name: penalty.detach() for name, penalty in penalties.items()}
        return Portion(now.share, loss, seen)

    def _seen(self, state: TrainingState, real: Tensor, fake: Tensor, loss: Tensor) -> Scalars:
        """What is told of the discriminator's scores."""
        seen = {
            "loss_d": loss.detach(),
            "d_real": real.detach().sigmoid().mean(),
            "d_fake": fake.detach().sigmoid().mean(),
            "sureness": adaptive.sureness(real.detach(), fake.detach(), self.loss(state).undecided),
        }
        if self.settings.augment_target and state.step % adaptive.EVERY == 0:
            seen |= {"varied": self._adapt(state, seen["sureness"], len(real))}
        return seen

    def _rests(self, state: TrainingState, loss: Tensor) -> bool:
        """Whether the discriminator is so far ahead that it does not move."""
        threshold = state.knobs["skip_d_below"]
        return bool(threshold) and float(loss.detach()) < threshold

    def _penalties(
        self,
        model: AdversarialModel,
        due: dict[str, float],
        shown: Shown,
        real: Tensor,
        fake: Tensor,
    ) -> Scalars:
        """Those that are due; pictures must have led to the scores of real and fake."""
        found: Scalars = {}
        if "r1" in due:
            found["r1"] = zero_centred(real, shown.real)
        if "r2" in due:
            found["r2"] = zero_centred(fake, shown.fake)
        if "gp" in due:
            found["gp"] = self._gradient_penalty(model, shown)
        return found

    def _adapt(self, state: TrainingState, sureness: Tensor, count: int) -> Tensor:
        """The share of pictures that will be varied from now on."""
        target, knobs = self.settings.augment_target, state.knobs
        assert target is not None, "settled"
        knobs["augment_share"] = adaptive.adapted(
            knobs["augment_share"], float(sureness), target, adaptive.EVERY * count
        )
        return sureness.new_tensor(knobs["augment_share"])

    def _gradient_penalty(self, model: AdversarialModel, shown: Shown) -> Tensor:
        mixed = between(shown.real, shown.fake, shown.stream)
        views = [view.detach().requires_grad_() for view in mixed]
        with self.precision.autocast():
            scores = model.judge(views, shown.labels)
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
            return descend(state.optimizers["generator"], taught, "_g", vitals.due(state.step))

    def _taught(self, state: TrainingState, model: AdversarialModel, now: Shown) -> Portion:
        """What the generator learns from the discriminator's scores of what is shown."""
        rule = self.loss(state)
        with self.precision.autocast():
            fake = model.judge(now.fake, now.labels)
            real = model.judge(now.real, now.labels) if rule.paired else fake
        loss = rule.generator(real, fake)
        seen = {"loss_g": loss.detach()}
        if weight := self._due(state) * state.knobs["path_length"]:
            drawn = latents(model.generator, now.labels[::FEWER], now.stream)
            with self.precision.autocast():
                penalty = model.path_length_penalty(drawn, now.stream)
            seen["path_length"] = penalty.detach()
            loss = loss + weight * penalty
        return Portion(now.share, loss, seen)

    def loss(self, state: TrainingState) -> AdversarialLoss:
        """How the players are scored now."""
        return loss_of(self.settings, state)


def loss_of(settings: AdversarialSettings, state: TrainingState) -> AdversarialLoss:
    """The loss that was asked for, until a treatment has paired real and generated pictures."""
    return ADVERSARIAL_LOSSES["relativistic" if state.paired else settings.loss].loss


def _players(model: GenerativeModel) -> AdversarialModel:
    assert isinstance(model, AdversarialModel)  # the catalogue pairs models with their game
    return model


def _noisy(view: Tensor, noise: float, stream: torch.Generator) -> Tensor:
    """Instance noise (Sonderby et al., 2017): both kinds of picture blur into each other."""
    return view + noise * torch.randn(view.shape, generator=stream, device=view.device)


def _feature_spreads(features: list[Tensor]) -> Scalars:
    """Of what went before the verdict, real pictures first, if it was looked at."""
    if not features:
        return {}
    real, fake = torch.cat(features).chunk(2)
    return {
        "features_real": vitals.feature_spread(real),
        "features_fake": vitals.feature_spread(fake),
    }


def _as_leaves(now: Shown, real: bool, fake: bool) -> Shown:
    """The same pictures as if nobody had drawn them, with slopes where they are wanted."""
    return replace(
        now,
        real=[view.detach().requires_grad_(real) for view in now.real],
        fake=[view.detach().requires_grad_(fake) for view in now.fake],
    )


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
