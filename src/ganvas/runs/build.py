"""Everything that a run needs before its first step, but for a plan: images, networks, a device."""

from collections.abc import Callable, Generator, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganvas.augmentation.diffaugment import AUGMENTATIONS, colour, shift
from ganvas.checkpoints.checkpoint import Tensors
from ganvas.config import AdversarialSettings, Config, Request, data_settings, resolve
from ganvas.config.resolve import CHANNELS, training_settings
from ganvas.data import Dataset, ImageDataset, prepare
from ganvas.data.loader import Batch, Loader
from ganvas.data.subset import Subset, split
from ganvas.doctor import ISSUES
from ganvas.doctor.monitor import Healthy, Monitor
from ganvas.doctor.probes import Probe, of_data
from ganvas.doctor.signals import RunFacts, SignalsWindow
from ganvas.events import Event
from ganvas.losses import ADVERSARIAL_LOSSES
from ganvas.models import AdversarialModel, GenerativeModel, UnsuitableOptionError
from ganvas.models import build as build_model
from ganvas.models.anchors import Anchors, classes_of
from ganvas.models.projected import ProjectedDiscriminator
from ganvas.pretrained.lite0 import NAME
from ganvas.runtime.device import choose_device
from ganvas.runtime.precision import Precision, choose_precision
from ganvas.training import TRAINERS, Trainer, TrainingState

LEAST_SIDE = 16  # pixels: a pretrained network sees nothing in smaller images
MEASURED = 128  # real images over which features of a pretrained network are standardised
CODED = 4096  # real images, at most, over which matching is measured


@dataclass(frozen=True)
class Measured:
    """What a pretrained network has been found to see of the images."""

    tensors: Tensors  # of the discriminator that looks through it
    anchors: Anchors | None  # where generated images are matched to real ones


@dataclass(frozen=True)
class Build:
    """A configuration, with everything built that does not change during a run."""

    config: Config
    dataset: ImageDataset
    device: torch.device
    measured: dict[int, Measured] = field(default_factory=dict, compare=False)
    """What a pretrained network has been found to see of the images, by the size of latents: kept
    for every network that a plan times."""

    @property
    def precision(self) -> Precision:
        """In how many bits it computes."""
        return Precision(self.device, self.config.training.precision == "bf16")

    @property
    def trainer(self) -> Trainer:
        """How the model learns."""
        return TRAINERS[self.config.spec.trainer](self.config.game, self.precision)

    @property
    def watched(self) -> bool:
        """Whether the doctor watches: it knows games between two players."""
        adversarial = isinstance(self.config.game, AdversarialSettings)
        return adversarial and self.config.doctor.doctor != "off"

    @property
    def teachers(self) -> tuple[str, ...]:
        """The frozen networks through which the model learns, by name."""
        return (NAME,) if self.config.taught else ()

    @cached_property
    def parts(self) -> tuple[Dataset, Dataset]:
        """Images to learn from, and a few that are held out for the doctor to compare with."""
        if not self.watched:
            return self.dataset, Subset(self.dataset, np.arange(0))
        return split(self.dataset, self.config.training.seed)

    @property
    def loader(self) -> Loader:
        """The images to learn from, batch by batch."""
        return Loader(self.parts[0], self.config.training.batch, self.device)

    def initial_state(self, measured: bool = True) -> TrainingState:
        """The state before the first step; weights depend on the seed alone.

        Not `measured`, it knows nothing yet of what a pretrained network sees of the images: for a
        checkpoint, which holds that, to be restored into.
        """
        config, classes = self.config, len(self.dataset.classes)
        with torch.random.fork_rng():
            torch.manual_seed(config.training.seed)
            model = build_model(config.model, config.network, self.dataset.shape, classes)
            self._look_through(model, measured)
        # Channels-last weights: a tenth to a fifth faster on a CPU, see benchmarks/NOTES.md.
        model = model.to(self.device)
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in stubs
        return self.trainer.start(model, config.training.seed)

    def _look_through(self, model: GenerativeModel, measured: bool) -> None:
        """Give the model a discriminator that looks through a pretrained network, if wanted."""
        game = self.config.game
        if not isinstance(model, AdversarialModel) or not isinstance(game, AdversarialSettings):
            return
        if game.discriminator == "own":
            return
        if self.dataset.shape[0] not in CHANNELS or min(self.dataset.shape[1:]) < LEAST_SIDE:
            raise UnsuitableOptionError(
                f"--discriminator {game.discriminator} is for images with sides of {LEAST_SIDE} "
                "pixels or more; leave it out."
            )
        dtype = torch.bfloat16 if self.precision.bf16 else torch.float32
        _, *sides = self.dataset.shape
        projected = ProjectedDiscriminator(
            (sides[0], sides[1]),
            len(self.dataset.classes),
            model.generator.latent if game.match else 0,
            dtype,
            self.device,
            model.doublings,
        )
        projected.to(self.device)
        model.look_through(projected, alone=game.discriminator == "pretrained")
        if measured:
            latent = model.generator.latent
            if latent not in self.measured:
                self.measured[latent] = self._measure(projected)
            projected.load_state_dict(self.measured[latent].tensors, strict=False)
            model.generator.anchors = deepcopy(self.measured[latent].anchors)

    def _measure(self, projected: ProjectedDiscriminator) -> Measured:
        """Measure what it sees of the images."""
        projected.standardise(next(self._batches()).images)
        anchors = self.anchors(projected, axes=True)
        return Measured(projected.measured(), anchors)

    def anchors(self, projected: ProjectedDiscriminator, axes: bool) -> Anchors | None:
        """Codes of the images, where generated images are matched to real ones: along axes of
        their own, or along those that there are."""
        labels: list[Tensor] = []

        def images() -> Iterator[Tensor]:
            for batch in self._batches():
                labels.append(batch.labels)
                yield batch.images

        codes = projected.measure(images(), axes)
        return None if codes is None else Anchors(codes, classes_of(torch.cat(labels)))

    def _batches(self) -> Iterator[Batch]:
        """The first real images, as many as matching is measured over."""
        seed, loader = self.config.training.seed, Loader(self.parts[0], 1, self.device)
        few, most = (min(number, len(self.parts[0])) for number in (MEASURED, CODED))
        for first in range(0, most, few):
            yield loader.load(seed, first, min(few, most - first))

    def timed_step(self) -> Callable[[], object]:
        """A step of a throw-away run at full size, to be timed; every call does the same work.

        Penalties that only every few steps carry are left out.
        """
        state, trainer, loader = self._throw_away(), self.trainer, self.loader
        state.step = 1  # and stays it: step 0 carries every penalty
        return lambda: trainer.step(state, loader, state.model.stages[-1])

    def _throw_away(self) -> TrainingState:
        state = self.initial_state()
        if self.config.training.start is not None:
            state.grow(1.0)  # as what it starts from has
        return state

    def timed_rounds(self) -> list[partial[int]]:
        """Rounds of steps of a throw-away run, to be timed: one for each stage of the model.

        Each says how many images its steps have shown.
        """
        state, trainer, loader = self._throw_away(), self.trainer, self.loader

        def steps(fraction: float) -> int:
            before = state.images
            for _ in range(trainer.round):
                trainer.step(state, loader, fraction)
                state.step += 1  # which steps carry a penalty depends on it
            return state.images - before

        return [partial(steps, fraction) for fraction in state.model.stages]

    def resolved(self, config: Config) -> "Build":
        """The same images and device, with another configuration."""
        return replace(self, config=config)


def build(request: Request) -> Generator[Event, None, Build]:
    """Prepare the images, choose the device, and resolve the configuration.

    Raises whatever preparing the images, `choose_device` and `resolve` raise.
    """
    training = training_settings(request)
    device = choose_device(training.device)
    precision = choose_precision(training.precision, device)
    dataset = yield from prepare(request.source or "", data_settings(request))
    config = resolve(request, dataset.shape, dataset.usable, precision.bf16)
    return Build(config, dataset, device)


def monitors(built: Build, state: TrainingState, records: Mapping[str, Any]) -> list[Monitor]:
    """The doctor of a run, if it has one; it remembers what the records of a checkpoint say."""
    if not built.watched:
        return []
    learnt, held_out = built.parts
    seed, game = built.config.training.seed, built.config.game
    assert isinstance(game, AdversarialSettings), "watched"
    signals = SignalsWindow(
        RunFacts(
            learnt.usable,
            ADVERSARIAL_LOSSES[game.loss].loss.chance,
            shift in AUGMENTATIONS[game.augment],
            colour in AUGMENTATIONS[game.augment],
        )
    )
    signals.add_probe(state.step, state.images, of_data(learnt, seed))
    doctor = Monitor(
        built.config.doctor.doctor,
        built.config.doctor.probe_every,
        ISSUES,
        game,
        Probe.of(learnt, held_out, seed),
        signals,
        Healthy.of(state),
        built.initial_state,
    )
    if "doctor" in records:
        doctor.remember(records["doctor"], state.step)
    state.records["doctor"] = doctor
    return [doctor]
