"""Both players learn from one pass through the discriminator.

Training Generative Adversarial Networks in One Stage (Shen et al., 2021): where every picture is
judged alone, the slope of the generator's loss at a picture is that of the discriminator's loss,
times a number. So one way back through the discriminator serves both players, and a step takes
four fifths of the time. Each player answers the other as it was before the step.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.models import AdversarialModel, GenerativeModel, UnsuitableOptionError, Views
from ganvas.training.adversarial import AdversarialGame, Shown, as_leaves, detached
from ganvas.training.descent import Portion, Scalars, descend
from ganvas.training.state import TrainingState

FLAT = 1e-8  # slopes of a loss below this are taken for this


@dataclass(frozen=True)
class OneStageGame(AdversarialGame):
    """The adversarial game with both moves at once."""

    def start(self, model: GenerativeModel, seed: int) -> TrainingState:
        """A run that has not begun; raises UnsuitableOptionError."""
        assert isinstance(model, AdversarialModel)  # the catalogue pairs models with their game
        if not model.judges_alone:
            raise UnsuitableOptionError(
                "--one-stage needs a discriminator that judges each picture alone, as those of fc "
                "and compact do; leave it out."
            )
        return super().start(model, seed)

    def _move(
        self,
        state: TrainingState,
        model: AdversarialModel,
        judged: Iterable[Shown],
        drawn: Iterable[Shown],
    ) -> Scalars:
        slopes: list[Views] = []
        both = self._judged_for_both(state, model, judged, slopes)
        seen = descend(state.optimizers["discriminator"], both, "gradient_d")
        taught = (
            self._evened(state, model, now, _along(now.fake, slope), {})
            for now, slope in zip(drawn, slopes, strict=True)
        )
        return seen | descend(state.optimizers["generator"], taught, "gradient_g")

    def _judged_for_both(
        self,
        state: TrainingState,
        model: AdversarialModel,
        looks: Iterable[Shown],
        slopes: list[Views],
    ) -> Iterator[Portion]:
        """What the discriminator learns; the generator's slopes of each portion go to `slopes`."""
        due = self._due_penalties(state)
        for now in looks:
            shown = as_leaves(now, "r1" in due, True)
            with self.precision.autocast():
                real, fake = model.judge_both(shown.real, shown.fake, now.labels)
            seen, slope_real, slope_fake, wanted = self._slopes_at_scores(state, real, fake)
            if self._rests(state, seen["loss_d"]):
                slopes.append([*torch.autograd.grad(fake @ wanted, shown.fake)])
                yield Portion(now.share, None, seen | {"skipped": torch.ones_like(seen["loss_d"])})
                continue
            if due:  # penalties reach the pictures too, and the generator must not see that
                slopes.append([*torch.autograd.grad(fake @ wanted, shown.fake, retain_graph=True)])
            penalties = self._penalties(model, due, shown, real, fake)
            followed = real @ slope_real + fake @ slope_fake  # the loss's slopes, not its value
            followed = followed + sum(due[name] * p for name, p in penalties.items())
            yield Portion(now.share, followed, seen | detached(penalties))
            if not due:  # the portion has been followed back by now
                times = (wanted / slope_fake / now.share)[:, None, None, None]
                slopes.append([times * _slope(view) for view in shown.fake])

    def _slopes_at_scores(
        self, state: TrainingState, real: Tensor, fake: Tensor
    ) -> tuple[Scalars, Tensor, Tensor, Tensor]:
        """What is told of the scores; the slopes of the discriminator's loss at scores of real and
        of fake, and of the generator's loss at those of fake, each (N,)."""
        at_real, at_fake = (score.detach().requires_grad_() for score in (real, fake))
        loss = self._loss.discriminator(at_real, at_fake, 1.0 - state.knobs["label_smoothing"])
        loss_g = self._loss.generator(at_real, at_fake)
        (wanted,) = torch.autograd.grad(loss_g, at_fake)
        slope_real, slope_fake = torch.autograd.grad(loss, [at_real, at_fake])
        # Where a loss is flat, as the hinge is, the generator still wants to know the way.
        slope_fake = torch.where(slope_fake.abs() < FLAT, FLAT, slope_fake)
        seen = self._seen(state, real, fake, loss) | {"loss_g": loss_g.detach()}
        return seen, slope_real, slope_fake, wanted


def _slope(view: Tensor) -> Tensor:
    assert view.grad is not None, "its portion has been followed back"
    return view.grad


def _along(views: Views, slopes: Views) -> Tensor:
    """Something whose slopes at the views are these."""
    products = [(view * slope).sum() for view, slope in zip(views, slopes, strict=True)]
    return torch.stack(products).sum()
