"""Everything that changes during a run, and nothing else: what a checkpoint must hold.

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
from ganvas.data.loader import Batch, Loader
from ganvas.models import GenerativeModel, Generator
from ganvas.models.description import misfit
from ganvas.runtime.rng import Stream, seeded_generator
from ganvas.training.optimizer_state import (
    by_parameter,
    misfit_of_moments,
    moments,
    restore_moments,
)

# What a checkpoint says of a state as it is.
STORED = (
    "seed", "rank", "step", "images", "seconds", "dropped", "accumulate", "enlarged", "fresher",
    "paired", "began",
)  # fmt: skip


class Purpose(IntEnum):
    """What random numbers of a step are for; each has a stream of its own."""

    FAKES = 0  # latents, and what else a generator draws
    AUGMENTATION = 1
    INSTANCE_NOISE = 2
    GRADIENT_PENALTY = 3
    PATH_LENGTH = 4
    ENCODING = 5


class CallbackRecord(Protocol):
    """What a watcher knows of the run, and must know when it goes on."""

    def as_plain(self) -> Any:
        """As JSON holds it."""
        ...


@dataclass
class TrainingState:
    """One run at one moment."""

    model: GenerativeModel
    optimizers: dict[str, Optimizer]
    live: dict[str, float]  # settings that a treatment may turn while the run goes on
    seed: int = 0
    rank: int = 0
    step: int = 0
    images: int = 0  # real images shown so far
    seconds: float = 0.0  # wall time spent so far, over all resumptions
    accumulate: int = 1  # micro-batches that a batch is worked in, one after the other
    dropped: int = 0  # steps dropped because something was not finite
    enlarged: int = 1  # times as many images in a step as were planned
    began: int = 0  # images that had been shown when these weights were drawn
    paired: bool = False  # whether a treatment has paired real and generated images
    fresher: float = 1.0  # by how much the average of weights is shorter than was planned
    records: dict[str, CallbackRecord] = field(
        default_factory=dict
    )  # of watchers, kept in checkpoints
    average: Generator = field(init=False)

    def __post_init__(self) -> None:
        self.average = deepcopy(self.model.generator).requires_grad_(False).eval()

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.average.parameters()).device

    def stream(
        self, purpose: Purpose, device: torch.device, total: int = 0, rows: slice | None = None
    ) -> Stream:
        """The stream of the coming step for a purpose, and for these rows of its batch."""
        generator = seeded_generator(device, self.seed, self.rank, self.images, purpose)
        return Stream(generator, total, rows)

    def next_batch(self, loader: Loader) -> Batch:
        """The next batch, counted as shown.

        Of as many images as the model wants now: a small one, still growing, wants more.
        """
        count = self.model.batch(loader.count) * self.enlarged
        batch = loader.load(self.seed, self.images, count)
        self.images += count
        return batch

    def grow(self, fraction: float) -> None:
        """Become what the run is after this share of it, in [0, 1]."""
        self.model.grow(fraction)
        self.average.grow(fraction)

    def tensors(self) -> dict[str, Tensors]:
        """All that a checkpoint writes as tensors, by file name."""
        return {
            "model": dict(self.model.state_dict()),
            "average": dict(self.average.state_dict()),
            **{f"optimizer-{n}": moments(self.model, o) for n, o in self.optimizers.items()},
        }

    def metadata(self) -> StateMetadata:
        """All that a checkpoint writes as numbers."""
        stored = {name: getattr(self, name) for name in STORED}
        return StateMetadata(**stored, live=dict(self.live))

    def plain_records(self) -> dict[str, Any]:
        """What callbacks remember, as a checkpoint writes it."""
        return {name: record.as_plain() for name, record in self.records.items()}

    def restore(
        self, tensors: Mapping[str, Tensors], metadata: StateMetadata, finite: bool = True
    ) -> None:
        """Become the run of a checkpoint.

        Raises CheckpointError on anything that is missing or does not fit, before the first step;
        nothing is changed then. `finite` also refuses weights that are not.
        """
        self._check(tensors, finite)
        self.restore_tensors(tensors)
        for name in STORED:
            setattr(self, name, getattr(metadata, name))
        # Newer ones stay as they are set, and what is not live any more changes nothing.
        self.live |= {name: v for name, v in metadata.live.items() if name in self.live}

    def restore_tensors(self, tensors: Mapping[str, Tensors]) -> None:
        """Networks and moments alone, of this very run."""
        self.model.load_state_dict(tensors["model"])
        self.average.load_state_dict(tensors["average"])
        for name, optimizer in self.optimizers.items():
            restore_moments(self.model, optimizer, tensors[f"optimizer-{name}"])

    def _check(self, tensors: Mapping[str, Tensors], finite: bool) -> None:
        """Raises CheckpointError unless these can take the place of what there is."""
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


def latents(generator: Generator, labels: Tensor, stream: Stream) -> Tensor:
    """Latents (N, latent + classes): numbers from N(0, I), and after them labels (N, classes)."""
    numbers = stream.normal(len(labels), generator.latent)
    return torch.cat([numbers, labels.to(numbers)], 1)


def labels_by_turns(generator: Generator, count: int) -> Tensor:
    """Labels (count, classes), one class after the other; of width 0 where there are none."""
    if not generator.classes:
        return torch.zeros(count, 0)
    return torch.eye(generator.classes)[torch.arange(count) % generator.classes]


def fixed_latents(state: TrainingState, stream: int, count: int) -> Tensor:
    """Latents (count, latent + classes) that are the same whenever a run is asked for them; each
    stream has its own, which training never draws."""
    drawn = Stream(seeded_generator(state.device, state.seed, stream))
    return latents(state.average, labels_by_turns(state.average, count), drawn)


def finite(state: TrainingState) -> bool:
    """Whether every floating tensor that a checkpoint would write is finite."""
    floats = [
        tensor
        for tensors in state.tensors().values()
        for tensor in tensors.values()
        if tensor.is_floating_point()
    ]
    return math.isfinite(float(torch.stack(torch._foreach_norm(floats)).sum()))
