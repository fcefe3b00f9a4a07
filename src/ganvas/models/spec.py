"""What a model brings along: how it is built, what it needs, and what a budget buys."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ganvas.models.base import GenerativeModel, Shape

TrainerName = Literal["adversarial", "variational"]


@dataclass(frozen=True)
class BudgetRow:
    """How large a network and its batch are, and how many steps they need to pay.

    With few steps their number counts most, and a small network on small batches takes more of
    them; with more steps a large one overtakes it. `blocks` and `upsampling` are for networks that
    have these settings. `lr` is the learning rate of both players where this batch needs another
    than the recipe's; like `upsampling` it belongs to the batch of its row.
    """

    width: int  # channels of the finest layer
    batch: int
    steps: int
    blocks: int | None = None
    upsampling: str | None = None
    lr: float | None = None

    @property
    def network(self) -> dict[str, object]:
        """The settings of the network that are chosen."""
        chosen = {"width": self.width, "blocks": self.blocks, "upsampling": self.upsampling}
        return {name: value for name, value in chosen.items() if value is not None}


# In rising order. Measured: benchmarks/NOTES.md, "Width, batch and budget".
USUAL = (
    BudgetRow(width=16, batch=32, steps=0),
    BudgetRow(width=32, batch=32, steps=1_000),
    BudgetRow(width=32, batch=64, steps=20_000),
    BudgetRow(width=48, batch=64, steps=40_000),
    BudgetRow(width=64, batch=64, steps=80_000),
)


def usual_table(channels: int) -> tuple[BudgetRow, ...]:
    """What a plan chooses from, for most models and images of so many channels."""
    return USUAL


@dataclass(frozen=True)
class ModelSpec:
    """A model in the catalogue. Adding one is its file with its spec, and its line in MODELS."""

    name: str
    summary: str
    build: Callable[[Any, Shape, int], GenerativeModel]  # of settings, shape, number of classes
    settings: type
    trainer: TrainerName = "adversarial"
    recipe: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What it needs unless told otherwise, by section, where that differs from the usual."""
    budget_table: Callable[[int], tuple[BudgetRow, ...]] = usual_table
    """What a plan chooses from, by the number of channels; the recipe's settings stay."""
    any_size: bool = False
    """Whether its images may have any sides: built-in sets then keep their own size."""


# Networks that are not normalised over the batch (Karras et al., 2018 and 2020).
MODERN: Mapping[str, Any] = {"beta1": 0.0, "beta2": 0.99, "penalty_every": 8}

# Of weights from N(0, 1), whatever their layer: an hour is short, and the papers' 0.001 to 0.003
# are for days. Of the papers' losses, progressive's Wasserstein with a gradient penalty and
# stylegan's bce with R1 are far behind in minutes: benchmarks/NOTES.md, "The growing, the
# multi-scale".
EQUALISED: Mapping[str, Any] = {**MODERN, "loss": "relativistic", "lr_g": 0.01, "lr_d": 0.01}

# Several layers at every resolution, each as wide as others' one.
PYRAMID = (
    BudgetRow(width=8, batch=32, steps=0),
    BudgetRow(width=16, batch=32, steps=1_500),
    BudgetRow(width=32, batch=32, steps=20_000),
    BudgetRow(width=48, batch=64, steps=80_000),
)


def pyramid_table(channels: int) -> tuple[BudgetRow, ...]:
    """What a plan chooses from, for models that draw every resolution."""
    return PYRAMID
