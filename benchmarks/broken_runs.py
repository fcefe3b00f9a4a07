"""Runs broken on purpose, each in one known way, and healthy ones beside them.

Small enough that many can be watched: points in the plane and digits, and emoji at 32x32.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from images import prepared
from numpy.typing import NDArray
from planning import build_of
from toy import RING, Points, StackedDigits, Unlabelled

from ganvas.config import Origin
from ganvas.data import ImageDataset
from ganvas.data.loader import Loader
from ganvas.losses import AdversarialLoss
from ganvas.models import DEFAULT
from ganvas.runs.build import Build
from ganvas.training.adversarial import AdversarialTrainer
from ganvas.training.loop import Trainer
from ganvas.training.state import TrainingState

CPU = torch.device("cpu")
FEW = 60
POISONED = 300  # the step before which a weight becomes NaN


class Few(Unlabelled):
    """Some images of a set, perhaps the same again and again."""

    def __init__(self, whole: ImageDataset, numbers: NDArray[np.int64]) -> None:
        self.whole, self.numbers = whole, numbers
        self.shape, self.usable = whole.shape, len(numbers)
        self.source = self.key = f"{whole.source}-{len(numbers)}"

    def __len__(self) -> int:
        return len(self.numbers)

    def batch(self, indices: Any) -> NDArray[np.uint8]:
        """The images of these numbers (count, height, width, channels)."""
        return self.whole.batch(self.numbers[np.asarray(indices)])


@dataclass(frozen=True)
class BrokenRun:
    """A run and what is wrong with it: `issues` names those of which one must be found."""

    healthy: Callable[[], Any]  # the images that there are
    steps: int = 1000
    seeds: int = 5
    issues: tuple[str, ...] = ()
    treatable: bool = True
    model: str = DEFAULT
    network: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)  # of the game
    factors: Mapping[str, float] = field(default_factory=dict)  # on what is usual
    harm: Callable[[Trainer], Trainer] = lambda trainer: trainer
    shown: Callable[[Any], Any] = lambda images: images  # what is learnt from
    from_step: int = 0  # where it is broken
    batch: int = 32
    further: bool = False  # beyond what two hours hold

    @property
    def coloured(self) -> bool:
        """Whether its images have colours: a pretrained network then teaches by default."""
        return self.healthy in (emoji, icons)


def digits() -> ImageDataset:
    """All 10,000."""
    return prepared("digits", 32)


def emoji() -> ImageDataset:
    """All 3,391."""
    return prepared("emoji", 32)


def icons() -> Few:
    """309 of them."""
    whole = emoji()
    return Few(whole, np.arange(0, len(whole), 11))


def ring() -> Points:
    """Eight Gaussians."""
    return Points(RING)


def stacked_digits() -> StackedDigits:
    """10,000 of three digits as red, green and blue: a thousand modes."""
    return StackedDigits(digits(), 10_000)


@dataclass(frozen=True)
class Poisoned:
    """A game in which a weight of the generator becomes NaN."""

    game: Trainer

    @property
    def round(self) -> int:
        """As the game's."""
        return self.game.round

    def start(self, model: Any, seed: int) -> TrainingState:
        """As the game does."""
        return self.game.start(model, seed)

    def step(self, state: TrainingState, loader: Loader, fraction: float) -> Any:
        """As the game does, but for once."""
        if state.step == POISONED:
            next(state.model.generator.parameters()).data.flatten()[0] = float("nan")
        return self.game.step(state, loader, fraction)


class SwappedGame(AdversarialTrainer):
    """The discriminator learns that real images are generated, and the other way round."""

    def loss(self, state: TrainingState) -> AdversarialLoss:
        """Of a discriminator that is given one for the other."""
        usual = super().loss(state)

        def swapped(real: Any, fake: Any, label: float) -> Any:
            return usual.discriminator(fake, real, label)

        return replace(usual, discriminator=swapped)


def _swapped(game: Trainer) -> Trainer:
    assert isinstance(game, AdversarialTrainer)
    return SwappedGame(game.settings, game.precision)


PLAIN = {"loss": "bce", "r1": 0.0, "r2": 0.0, "augment": "none", "lr_g": 3e-3, "lr_d": 3e-3}
TOY: dict[str, Any] = {
    "healthy": ring,
    "steps": 12_000,
    "seeds": 20,
    "model": "fc",
    "network": {"width": 64, "latent": 16},
    "batch": 128,
}
RING_WELL = {**PLAIN, "loss": "relativistic", "r1": 0.03, "r2": 0.03}

BROKEN_RUNS = {
    "healthy digits": BrokenRun(digits),
    "healthy emoji": BrokenRun(emoji, network={"blocks": 0}),
    "healthy icons": BrokenRun(icons, network={"blocks": 0}),
    "healthy ring": BrokenRun(rules=RING_WELL, **TOY),
    # What learns slowly or unevenly looks broken for a while: four probes and more.
    "healthy digits, fc": BrokenRun(digits, model="fc", steps=3000, seeds=20, further=True),
    "healthy digits, dcgan": BrokenRun(
        digits, model="dcgan", network={"width": 32}, steps=2000, seeds=10, further=True
    ),
    "healthy stacked digits, fc": BrokenRun(
        stacked_digits, model="fc", steps=4000, batch=64, further=True
    ),
    "ring without a penalty": BrokenRun(issues=("mode-collapse",), rules=PLAIN, **TOY),
    "discriminator's rate x30": BrokenRun(
        digits, issues=("too-fast", "divergence"), factors={"lr_d": 30}
    ),
    "generator's rate x30": BrokenRun(digits, issues=("too-fast",), factors={"lr_g": 30}),
    "emoji, discriminator's rate x30": BrokenRun(
        emoji, issues=("too-fast", "divergence"), factors={"lr_d": 30}, network={"blocks": 0}
    ),
    "emoji, generator's rate x30": BrokenRun(
        emoji, issues=("too-fast",), factors={"lr_g": 30}, network={"blocks": 0}
    ),
    "discriminator that never moves": BrokenRun(
        digits, issues=("at-chance",), rules={"skip_d_below": 1e9}
    ),
    "labels swapped": BrokenRun(digits, issues=("upside-down",), treatable=False, harm=_swapped),
    "NaN": BrokenRun(digits, issues=("divergence",), harm=Poisoned, from_step=POISONED),
    "60 images": BrokenRun(
        digits,
        issues=("too-few", "memorising"),
        treatable=False,
        shown=lambda whole: Few(whole, np.arange(FEW)),
    ),
    "60 emoji": BrokenRun(
        emoji,
        issues=("too-few", "memorising"),
        treatable=False,
        network={"blocks": 0},
        shown=lambda whole: Few(whole, np.arange(0, 50 * FEW, 50)),
    ),
    "one image": BrokenRun(
        digits,
        issues=("bad-data",),
        treatable=False,
        shown=lambda whole: Few(whole, np.zeros(1000, np.int64)),
    ),
}


def build_of_case(case: BrokenRun, seed: int, doctor: str) -> Build:
    """Everything that does not change during the run; points in fp32, finer than bf16 can say."""
    content = {
        "model": case.model,
        "network": dict(case.network),
        "game": dict(case.rules),
        "training": {"seed": seed, "batch": case.batch, "images": case.steps * case.batch},
        "doctor": {"doctor": doctor},
    }
    built = build_of(content, case.shown(case.healthy()), case.model != "fc")
    game: Any = built.config.game
    changes = {"game": {name: getattr(game, name) * f for name, f in case.factors.items()}}
    return built.resolved(built.config.with_values(changes, Origin.USER))
