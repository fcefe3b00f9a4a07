"""Everything that a run needs before its first step: pictures, networks, threads, a plan."""

from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from typing import Any, Literal

import numpy as np
import torch

from ganvas import config
from ganvas.config import Nested, RunSettings
from ganvas.data import Learnable, Pictures, prepare
from ganvas.data.loader import FEWEST, Loader
from ganvas.data.subset import Part, parted
from ganvas.doctor import ILLNESSES
from ganvas.doctor.monitor import Doctor, Healthy
from ganvas.doctor.probes import Examiner, of_data
from ganvas.doctor.signals import Chart, Facts
from ganvas.events import Event, Notice, Planned
from ganvas.losses import ADVERSARIAL_LOSSES
from ganvas.models import MODELS, build
from ganvas.runs.plan import Choice, TimedRound, choices, fitting, plan, rows
from ganvas.runtime.activations import GIGABYTE, Kept, Need, NotEnoughMemoryError, need
from ganvas.runtime.precision import Precision
from ganvas.runtime.threads import fastest
from ganvas.training import GAMES, Game, TrainingState, choose_device, choose_precision
from ganvas.training.rules import AdversarialSettings
from ganvas.training.settings import TrainingSettings

TIMING_SHARE, LONGEST_TIMING = 0.02, 2.0  # of the budget, and seconds, for choosing threads

MEASURED = 4, 8  # pictures in the batches whose memory is measured

_CHANNELS: dict[int, Literal["1", "3", "4"]] = {1: "1", 3: "3", 4: "4"}


@dataclass(frozen=True)
class Setup:
    """Settings with everything built that does not change during a run."""

    settings: RunSettings
    pictures: Pictures
    device: torch.device
    precision: Precision

    @property
    def game(self) -> Game:
        """The way of learning that the model needs."""
        return GAMES[MODELS[self.settings.model].game](self.settings.game, self.precision)

    @property
    def watched(self) -> bool:
        """Whether a doctor watches: it knows games between two players."""
        adversarial = isinstance(self.settings.game, AdversarialSettings)
        return adversarial and self.settings.doctor.doctor != "off"

    @cached_property
    def parts(self) -> tuple[Learnable, Learnable]:
        """Pictures to learn from, and a few that are held out for the doctor to compare with."""
        if not self.watched:
            return self.pictures, Part(self.pictures, np.arange(0))
        return parted(self.pictures, self.settings.training.seed)

    @property
    def feed(self) -> Loader:
        """The pictures to learn from, batch by batch."""
        return Loader(self.parts[0], self.settings.training.batch, self.device)

    def start(self) -> TrainingState:
        """The state before the first step; weights depend on the seed alone."""
        seed = self.settings.training.seed
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            classes = len(self.pictures.classes)
            model = build(self.settings.model, self.settings.network, self.pictures.shape, classes)
        # Channels-last weights: a tenth to a fifth faster on a CPU, see benchmarks/NOTES.md.
        model = model.to(self.device)
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in stubs
        state = self.game.start(model, seed)
        state.accumulate = self.settings.training.accumulate or 1
        return state

    def chosen(self, choice: Choice) -> "Setup":
        """The same with another network and batch, and with the learning rates of that batch."""
        setup = self.with_training(replace(self.settings.training, batch=choice.batch))
        return setup.changed({"network": choice.network, "game": choice.rates})

    def changed(self, changes: Mapping[str, Mapping[str, Any]]) -> "Setup":
        """The same with other settings of these sections."""
        # Which settings have which names no type can say: tests try every model.
        sections = {
            name: replace(getattr(self.settings, name), **of) for name, of in changes.items()
        }
        return replace(self, settings=replace(self.settings, **sections))

    def with_training(self, training: TrainingSettings) -> "Setup":
        """The same with other settings of training."""
        return replace(self, settings=replace(self.settings, training=training))

    def with_images(self, images: int) -> "Setup":
        """The same until so many pictures have been shown."""
        return self.with_training(replace(self.settings.training, images=images))

    @property
    def threads(self) -> int:
        """Processor threads, chosen by now."""
        return self.settings.training.threads or torch.get_num_threads()


def with_default_size(settings: RunSettings) -> RunSettings:
    """The lesson's fc takes the digits at their own 28x28; convolutions want 32x32."""
    if (settings.model, settings.source, settings.data.size) != ("fc", "digits", None):
        return settings
    return replace(settings, data=replace(settings.data, size="28"))


def set_up(settings: RunSettings) -> Generator[Event, None, Setup]:
    """Prepare the pictures, choose device and precision, and complete the settings."""
    device = choose_device(settings.training.device)
    precision = choose_precision(settings.training.precision, device)
    pictures = yield from prepare(settings.source, settings.data)
    return Setup(_complete(settings, pictures, precision), pictures, device, precision)


def _complete(settings: RunSettings, pictures: Pictures, precision: Precision) -> RunSettings:
    """Nothing left to be guessed: run.yaml must give the same run on another day."""
    channels, height, width = pictures.shape
    return replace(
        settings,
        data=replace(settings.data, size=f"{height}x{width}", channels=_CHANNELS[channels]),
        game=settings.game.settled(pictures.shape, pictures.usable),
        training=replace(settings.training, precision="bf16" if precision.bf16 else "fp32"),
    )


def with_threads(setup: Setup, asked: Nested) -> Setup:
    """The same with as many threads as pay, where none were settled."""
    if setup.settings.training.threads is not None:
        return setup
    training = replace(setup.settings.training, threads=_threads(setup, asked))
    return setup.with_training(training)


def _threads(setup: Setup, asked: Nested) -> int:
    if setup.device.type != "cpu":
        return torch.get_num_threads()
    limit = TIMING_SHARE * (setup.settings.training.budget or LONGEST_TIMING / TIMING_SHARE)
    finished = timed_rounds(setup.chosen(_choices(setup, asked)[0]))[-1]
    return fastest(finished, min(limit, LONGEST_TIMING))


def _choices(setup: Setup, asked: Nested) -> list[Choice]:
    """What a plan may choose from: neither explicit options nor the model's recipe."""
    settled = config.merged(config.RECIPES[setup.settings.model], asked)
    given = settled.get("network", {}) | settled.get("training", {})
    values = asdict(setup.settings.network) | asdict(setup.settings.training)
    chosen = ("width", "blocks", "upsampling", "batch")
    kept = {name: values[name] for name in chosen if name in given}
    if "batch" in kept:  # a run.yaml older than a row of the table starts the same run again
        kept = {"rate": None, "upsampling": None} | kept
    if asked.get("game", {}).keys() & {"lr_g", "lr_d"}:
        kept["rate"] = None
    return choices(rows(setup.settings.model, setup.pictures.shape[0]), kept)


def planned(setup: Setup, asked: Nested, spent: float) -> Generator[Event, None, Setup]:
    """The best use of what is left of the budget when `spent` seconds of it are gone."""
    budget = setup.settings.training.budget
    assert budget is not None, "settled() leaves a budget where it leaves no number of images"
    left = _choices(setup, asked)
    untimed = int(setup.device.type != "cpu")  # a GPU's first loads kernels, for about a second
    made = plan(budget - spent, left, lambda choice: timed_rounds(setup.chosen(choice)), untimed)
    chosen = _said(made.choice) | {"images": made.images}
    yield Planned(made.sentence(budget), chosen)
    return setup.chosen(made.choice).with_images(made.images)


def fitted(setup: Setup, asked: Nested) -> Generator[Event, None, Setup]:
    """The best use of the pictures that are to be shown."""
    images = setup.settings.training.images
    assert images is not None, "otherwise it is planned"
    choice = fitting(_choices(setup, asked), images)
    said = f"{images:,} pictures: width {choice.width}, batch {choice.batch}"
    yield Planned(said, _said(choice))
    return setup.chosen(choice)


def _said(choice: Choice) -> dict[str, object]:
    return {**choice.network, "batch": choice.batch, **choice.rates}


def portioned(setup: Setup) -> Generator[Event, None, Setup]:
    """The same with batches worked in as few portions as fit into the memory that may be used.

    Raises NotEnoughMemoryError where none do.
    """
    training = setup.settings.training
    if training.memory is None or training.accumulate is not None:
        return setup
    needed, batch = _needed(setup), training.batch
    most = needed.most(training.memory)
    if most < min(batch, FEWEST):
        raise NotEnoughMemoryError(
            f"--memory {_gigabytes(training.memory)}: {FEWEST} pictures at once need about "
            f"{_gigabytes(needed.of(FEWEST))} with this model; allow more, or take a smaller "
            "--size or --width."
        )
    portions = -(-batch // most)
    at_once = -(-batch // portions)
    spoken = "whole" if portions == 1 else f"in {portions} portions of {at_once}"
    yield Notice(
        f"{_gigabytes(training.memory)} of memory: a batch of {batch} is worked {spoken}, about "
        f"{_gigabytes(needed.of(at_once))}."
    )
    return setup.with_training(replace(training, accumulate=portions))


def _needed(setup: Setup) -> Need:
    """The most of all stages: measured on steps of a few pictures of a throw-away run.

    The first step of all is the one with every penalty.
    """

    def kept(count: int) -> int:
        peaks = []
        small = setup.with_training(replace(setup.settings.training, batch=count))
        for fraction in state.model.stages:
            stage = small.start()
            counted = Kept(stage.model)
            with counted.watching():
                small.game.step(stage, small.feed, fraction)
            peaks.append(counted.peak)
        return max(peaks)

    state = setup.start()
    return need(state.model, state.average, kept, MEASURED)


def _gigabytes(size: float) -> str:
    return f"{size / GIGABYTE:.1f} GB"


def timed_rounds(setup: Setup) -> list[TimedRound]:
    """Rounds of steps of a throw-away run, to be timed: one for each stage of the model."""
    state, game, feed = setup.start(), setup.game, setup.feed

    def steps(fraction: float) -> int:
        before = state.images
        for _ in range(game.round):
            game.step(state, feed, fraction)
            state.step += 1  # which steps carry a penalty depends on it
        return state.images - before

    return [partial(steps, fraction) for fraction in state.model.stages]


def attending(setup: Setup, state: TrainingState, facts: Mapping[str, Any]) -> list[Doctor]:
    """The doctor of a run, if it has one; it remembers what the facts of a checkpoint say."""
    if not setup.watched:
        return []
    learnt, held_out = setup.parts
    seed, game = setup.settings.training.seed, setup.settings.game
    assert isinstance(game, AdversarialSettings), "watched"
    chart = Chart(
        Facts(learnt.usable, ADVERSARIAL_LOSSES[game.loss].loss.chance, game.augment != "none")
    )
    chart.examined(state.step, state.images, of_data(learnt, seed))
    doctor = Doctor(
        setup.settings.doctor.doctor,
        setup.settings.doctor.exam_every,
        ILLNESSES,
        game,
        Examiner.of(learnt, held_out, seed),
        chart,
        Healthy.of(state),
        setup.start,
    )
    if "doctor" in facts.get("records", {}):
        doctor.remember(facts["records"]["doctor"], state.step)
    state.records["doctor"] = doctor
    return [doctor]
