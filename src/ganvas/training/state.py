"""The state of a run: everything that changes during it, and must be in a checkpoint.

Random streams are not stored but derived from (seed, rank, images seen, purpose), see
runtime/rng.py.
"""

import math
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.optim import Optimizer

from ganvas.checkpoints.checkpoint import Tensors
from ganvas.checkpoints.metadata import CheckpointError, StateMetadata
from ganvas.data.loader import Batch, Loader, micro_batches
from ganvas.models import GenerativeModel, Generator
from ganvas.models.description import misfit
from ganvas.runtime.rng import Stream, seeded_generator
from ganvas.training.optimizer_state import (
    by_parameter,
    misfit_of_moments,
    moments,
    restore_moments,
)

# The fields of a state that a checkpoint stores unchanged.
STORED = (
    "seed", "rank", "step", "images", "seconds", "dropped", "accumulate", "enlarged", "fresher",
    "paired", "began",
)  # fmt: skip


class Purpose(IntEnum):
    """What the random numbers of a step are for; each purpose has its own stream."""

    FAKES = 0  # latents, and whatever else a generator draws
    AUGMENTATION = 1
    INSTANCE_NOISE = 2
    GRADIENT_PENALTY = 3
    PATH_LENGTH = 4
    ENCODING = 5
    PRETRAINED_NOISE = 6


class CallbackRecord(Protocol):
    """What a callback must remember when a run is resumed."""

    def as_plain(self) -> Any:
        """Plain values for JSON."""
        ...


@dataclass
class TrainingState:
    """The state of a run after some step."""

    model: GenerativeModel
    optimizers: dict[str, Optimizer]
    live: dict[str, float]  # live hyperparameters, which treatments and commands may change
    seed: int = 0
    rank: int = 0
    step: int = 0
    images: int = 0  # real images shown so far
    seconds: float = 0.0  # wall time spent so far, over all resumptions
    accumulate: int = 1  # micro-batches of a batch, for gradient accumulation
    dropped: int = 0  # steps dropped because something was not finite
    enlarged: int = 1  # factor on the planned batch
    began: int = 0  # images that had been shown when the weights were initialised
    paired: bool = False  # whether a treatment has switched to the relativistic loss
    fresher: float = 1.0  # divisor of the planned half-life of the weight average
    records: dict[str, CallbackRecord] = field(
        default_factory=dict
    )  # of callbacks, kept in checkpoints
    rewritten: int = 0  # how often weights have been replaced, not learnt; of this process
    average: Generator = field(init=False)

    def __post_init__(self) -> None:
        self.average = deepcopy(self.model.generator).requires_grad_(False).eval()

    @property
    def device(self) -> torch.device:
        """The device of the networks."""
        return next(self.average.parameters()).device

    def stream(
        self, purpose: Purpose, device: torch.device, total: int = 0, rows: slice | None = None
    ) -> Stream:
        """The random stream of the coming step for a purpose and these rows of its batch."""
        generator = seeded_generator(device, self.seed, self.rank, self.images, purpose)
        return Stream(generator, total, rows)

    def next_batch(self, loader: Loader) -> list[Batch]:
        """Load the next batch in micro-batches, and count its images as shown.

        The model decides how many: one that still grows takes more at its small resolutions. Of
        several processes each loads its rows.
        """
        count = self.model.batch(loader.count) * self.enlarged
        parts = micro_batches(count, self.accumulate)
        found = loader.load_parts(self.seed, self.images, count, parts)
        self.images += count
        return found

    def grow(self, fraction: float) -> None:
        """Grow the model and its average to this fraction of the run, in [0, 1]."""
        self.model.grow(fraction)
        self.average.grow(fraction)

    def tensors(self) -> dict[str, Tensors]:
        """All tensors of a checkpoint, by file name."""
        return {
            "model": dict(self.model.state_dict()),
            "average": dict(self.average.state_dict()),
            **{f"optimizer-{n}": moments(self.model, o) for n, o in self.optimizers.items()},
        }

    def metadata(self) -> StateMetadata:
        """All numbers of a checkpoint."""
        stored = {name: getattr(self, name) for name in STORED}
        return StateMetadata(**stored, live=dict(self.live))

    def plain_records(self) -> dict[str, Any]:
        """The records of callbacks, as a checkpoint stores them."""
        return {name: record.as_plain() for name, record in self.records.items()}

    def restore(
        self, tensors: Mapping[str, Tensors], metadata: StateMetadata, finite: bool = True
    ) -> None:
        """Restore the state from a checkpoint.

        Raises CheckpointError, without changing anything, if something is missing or does not fit.
        With `finite`, weights that are not finite are refused too.
        """
        # Checkpoints from before there were anchors have none.
        self.model.generator.make_room(_part(tensors, "model"), "generator.")
        self.average.make_room(_part(tensors, "average"))
        self._check(tensors, finite)
        self.restore_tensors(tensors)
        self.decide({name: getattr(metadata, name) for name in STORED})
        # Hyperparameters newer than the checkpoint stay; those no longer live are ignored.
        self.live |= {name: v for name, v in metadata.live.items() if name in self.live}

    def decide(self, numbers: Mapping[str, Any]) -> None:
        """Take over the numbers of `metadata`, live hyperparameters among them."""
        for name in STORED:
            setattr(self, name, numbers[name])
        self.live |= numbers.get("live", {})

    def restore_tensors(self, tensors: Mapping[str, Tensors]) -> None:
        """Restore networks and moments only, from tensors of this run."""
        self.rewritten += 1
        self.model.load_state_dict(tensors["model"])
        self.average.load_state_dict(tensors["average"])
        for name, optimizer in self.optimizers.items():
            restore_moments(self.model, optimizer, tensors[f"optimizer-{name}"])

    def _check(self, tensors: Mapping[str, Tensors], finite: bool) -> None:
        """Raises CheckpointError unless these tensors fit the networks and optimisers."""
        for name, network in (("model", self.model), ("average", self.average)):
            fault = misfit(network.state_dict(), _part(tensors, name), finite)
            if fault is not None:
                raise CheckpointError(f"of its {name}, {fault}")
        for name, optimizer in self.optimizers.items():
            part = f"optimizer-{name}"
            fault = misfit_of_moments(
                self.model, optimizer, by_parameter(_part(tensors, part)), finite
            )
            if fault is not None:
                raise CheckpointError(f"of its {part}, {fault}")


def _part(tensors: Mapping[str, Tensors], name: str) -> Tensors:
    if name not in tensors:
        raise CheckpointError(f"it holds no {name}.safetensors")
    return tensors[name]


def labels_by_turns(generator: Generator, count: int) -> Tensor:
    """One-hot labels (count, classes), cycling through the classes; (count, 0) without classes."""
    if not generator.classes:
        return torch.zeros(count, 0)
    return torch.eye(generator.classes)[torch.arange(count) % generator.classes]


def fixed_latents(state: TrainingState, stream: int, count: int) -> Tensor:
    """Latents (count, latent + classes) that are the same throughout a run.

    Each `stream` has its own latents, apart from those of training.
    """
    drawn = Stream(seeded_generator(state.device, state.seed, stream))
    return state.average.draw(labels_by_turns(state.average, count), drawn)


def finite(state: TrainingState) -> bool:
    """Whether every floating-point tensor that a checkpoint would hold is finite."""
    floats = [
        tensor
        for tensors in state.tensors().values()
        for tensor in tensors.values()
        if tensor.is_floating_point()
    ]
    return math.isfinite(float(torch.stack(torch._foreach_norm(floats)).sum()))
