"""The spec of a model: how to build it, its recipe, and its size for a budget."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ganvas.models.base import GenerativeModel, Shape

TrainerName = Literal["adversarial", "variational"]


@dataclass(frozen=True)
class BudgetRow:
    """The size of a network and its batch, and the number of steps from which they pay off.

    In a short run the number of steps counts most, and a small network with small batches makes
    more of them; in a longer run a large network overtakes it. `blocks` and `upsampling` are for
    networks that have these settings. `lr` is the learning rate of both players if this batch needs
    another one than the recipe's. `lr` and `upsampling` belong to the batch of their row.
    """

    width: int  # channels of the finest layer
    batch: int
    steps: int
    blocks: int | None = None
    upsampling: str | None = None
    lr: float | None = None

    @property
    def network(self) -> dict[str, object]:
        """The network settings of this row."""
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


def never(shape: Shape) -> int:
    """Images of most models have their full size from the first step on."""
    return 0


def usual_table(channels: int, taught: bool) -> tuple[BudgetRow, ...]:
    """The rows that a plan chooses from, for most models."""
    return USUAL


@dataclass(frozen=True)
class ModelSpec:
    """A model in the catalogue. To add one, write its file with its SPEC, and a line in MODELS."""

    name: str
    summary: str
    build: Callable[[Any, Shape, int], GenerativeModel]  # of settings, shape, number of classes
    settings: type
    trainer: TrainerName = "adversarial"
    recipe: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Default settings of this model by section, where they differ from the general ones."""
    budget_table: Callable[[int, bool], tuple[BudgetRow, ...]] = usual_table
    """The rows that a plan chooses from, by number of channels, and whether a pretrained network
    teaches the generator, too; settings of the recipe stay."""
    most_doublings: Callable[[Shape], int] = never
    """How often images of a shape may double in size during training at most; where that may be
    more than 0, settings have `doublings`."""
    any_size: bool = False
    """Whether its images may have any sides; built-in data sets then keep their own size."""


# Networks that are not normalised over the batch (Karras et al., 2018 and 2020).
MODERN: Mapping[str, Any] = {"beta1": 0.0, "beta2": 0.99, "penalty_every": 8}

# The learning rates are for weights from N(0, 1) in every layer. They suit runs of up to an hour;
# the papers' 0.001 to 0.003 are for days. In runs of minutes the papers' losses, progressive's
# Wasserstein with a gradient penalty and stylegan's bce with R1, are far behind:
# benchmarks/NOTES.md, "progressive, msg and stylegan".
EQUALISED: Mapping[str, Any] = {**MODERN, "loss": "relativistic", "lr_g": 0.01, "lr_d": 0.01}

# These models have several layers at every resolution, each as wide as the single one of others.
PYRAMID = (
    BudgetRow(width=8, batch=32, steps=0),
    BudgetRow(width=16, batch=32, steps=1_500),
    BudgetRow(width=32, batch=32, steps=20_000),
    BudgetRow(width=48, batch=64, steps=80_000),
)


def pyramid_table(channels: int, taught: bool) -> tuple[BudgetRow, ...]:
    """The rows that a plan chooses from, for models with several resolutions."""
    return PYRAMID
