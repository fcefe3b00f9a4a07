"""One run that trains: its state, its callbacks, its queue of commands, its process's rank.

A terminal, a browser and a cluster steer the same object. Iterating over `events` trains; whatever
ends that, the run is saved and its directory left as people expect to find it.
"""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass, field
from itertools import chain

import torch

from ganvas import __version__
from ganvas.checkpoints.metadata import DatasetMetadata, ModelMetadata, RunMetadata
from ganvas.checkpoints.run_dir import RunDir
from ganvas.data import positions
from ganvas.doctor.monitor import Monitor
from ganvas.events import Commanded, Done, Event, GivenUp, Notice
from ganvas.runs.build import monitors
from ganvas.runs.control import CLOSED, FINISHED, GIVEN_UP, Control, Stop
from ganvas.runs.mailbox import FolderMailbox
from ganvas.runs.plan import Plan
from ganvas.runs.processes import Leader
from ganvas.runs.status import StatusWriter
from ganvas.runtime.distributed import place
from ganvas.runtime.signals import held_back
from ganvas.runtime.system import PlaceError
from ganvas.runtime.threads import using
from ganvas.training import Callback, Goal, TrainingState
from ganvas.training import train as loop
from ganvas.training.callbacks import curves
from ganvas.training.callbacks.checkpoints import SCORED, Checkpointer, reference_thumbnails
from ganvas.training.callbacks.evaluation import Evaluator, Scorer
from ganvas.training.callbacks.log import MetricsLog
from ganvas.training.callbacks.samples import SampleWriter, write_progress


@dataclass
class Session:
    """A run that has been built and can be trained, from its first step or from a checkpoint."""

    folder: RunDir
    plan: Plan
    state: TrainingState
    log: MetricsLog
    monitors: list[Monitor]
    sample_writer: SampleWriter
    evaluators: list[Evaluator]
    checkpointer: Checkpointer
    control: Control = field(init=False)
    status: StatusWriter = field(init=False)
    leader: Leader = field(init=False)

    @classmethod
    def of(
        cls,
        folder: RunDir,
        plan: Plan,
        state: TrainingState,
        scorer: Scorer | None,
        metadata: RunMetadata,
    ) -> "Session":
        """The session of a run as planned; `metadata` is that of the checkpoint that it goes on
        from, if there is one."""
        training, every = plan.config.training, plan.config.evaluation.evaluate_every
        log = MetricsLog.of_run(folder.metrics_log, plan.images, state.step)
        checkpointer = _checkpointer(folder, plan, log, state.model.pretrained)
        evaluators = []
        if scorer is not None and every is not None:
            scored = metadata.scored.step if metadata.scored else -1
            evaluators.append(Evaluator(scorer, every, checkpointer, scored))
        sample_writer = SampleWriter(
            folder.samples, training.samples, Goal(plan.images).fraction(state)
        )
        watching = monitors(plan.build, state, metadata.records)
        return cls(folder, plan, state, log, watching, sample_writer, evaluators, checkpointer)

    def __post_init__(self) -> None:
        self.control = Control(
            self.plan.config.training.budget, FolderMailbox(self.folder.commands)
        )
        self.status = StatusWriter(
            self.folder.status, self.plan.images, self.plan.config.training.budget
        )
        self.leader = Leader(self.state)

    @property
    def rank(self) -> int:
        """Which of the run's processes this is, from 0."""
        return place().rank

    @property
    def goal(self) -> Goal:
        """When it ends by itself."""
        return Goal(self.plan.images)

    @property
    def callbacks(self) -> list[Callback]:
        """What sees every step, in this order."""
        return [
            self.log,
            *self.monitors,
            self.sample_writer,
            *self.evaluators,
            self.checkpointer,
            self.status,
        ]

    def events(self) -> Iterator[Event]:
        """Train to the end, or until a command stops it; a generator of events.

        Ctrl-C, SIGTERM and SIGHUP finish the step, save, and are raised again. Whoever closes the
        generator, or raises through it, has the run saved.
        """
        stop = held_back(lambda signal: self.control.put(Stop(signal.name)))
        with stop as signals, using(self.plan.threads):
            yield from self._events(signals.suspended)
        signals.raise_again()

    def _events(self, suspended: Callable[[], AbstractContextManager[None]]) -> Iterator[Event]:
        state, build = self.state, self.plan.build
        if self.goal.reached(state) or self.control.late(state):
            over = Notice("The run had reached its end; give it a longer --for, or more --images.")
            self._note(over)
            yield over
        steps = loop(
            build.trainer,
            state,
            build.loader,
            self.goal,
            build.config.training.ema,
            self.callbacks,
            self,
        )
        logged, owner = state.step, os.getpid()
        try:
            for event in chain(steps, self._last_score()):
                logged = state.step
                self._note(event)
                if isinstance(event, GivenUp):
                    self.control.put(Stop(GIVEN_UP))
                try:
                    with suspended():
                        yield event
                except BaseException:  # whoever iterates has seen enough, between two steps
                    if os.getpid() == owner:  # and not a fork, which has no part in the run
                        with suppress(PlaceError):  # it is saved in any case
                            self.log.note(Commanded(state.step, Stop.name, {"reason": CLOSED}))
                        self._leave(CLOSED)
                    raise
        except Exception as fault:
            # After a step that is whole: a callback has failed, or the log cannot be written.
            if state.step > logged or isinstance(fault, PlaceError):
                with suppress(Exception):
                    self.checkpointer.save(state)
            raise
        yield from self._leave(self.control.reason or FINISHED)

    def between_steps(self) -> Generator[Event, None, float]:
        """Obey the commands that have come since the last step, to any process of the run; returns
        seconds spent paused."""
        self._obey(self.leader.hear())
        paused = yield from self.control.apply(
            self.state,
            lambda: self.checkpointer.save(self.state),
            lambda: self._obey(self.leader.wait()),
        )
        self.leader.say(self.control.reason)
        return paused

    def _obey(self, signal: str | None) -> None:
        """End as a signal to another process asks for."""
        if signal is not None:
            self.control.put(Stop(signal))

    @property
    def stopped(self) -> bool:
        """Whether no further step is to be made."""
        return self.control.stopped

    def _last_score(self) -> Iterator[Event]:
        """The score of a run that has come to its end, and which of its checkpoints is the best."""
        if self.control.reason not in (None, FINISHED):
            return
        for evaluator in self.evaluators:
            yield from evaluator.evaluate(self.state)
            yield from evaluator.report_best()

    def _note(self, event: Event) -> None:
        """Write an event down, for whoever follows the run from its files."""
        self.log.note(event)
        self.status.note(event, self.state)

    def _leave(self, reason: str) -> list[Event]:
        """Leave the directory as people expect to find it; returns what to say of that."""
        state = self.state
        self.leader.dismiss(reason)
        left: list[Event] = [self.checkpointer.save(state), self.sample_writer.write(state)]
        done = Done(state.step, state.images, state.seconds, reason)
        with suppress(PlaceError):  # it is saved in any case
            for event in (*left, done):
                self._note(event)
        curves.draw(self.folder.metrics_log, self.folder.curves)
        write_progress(self.folder.samples, self.folder.progress)
        return [*left, done]


def _checkpointer(
    folder: RunDir, plan: Plan, log: MetricsLog, pretrained: dict[str, str]
) -> Checkpointer:
    config, dataset = plan.config, plan.build.dataset
    about = RunMetadata(
        ganvas=__version__,
        torch=str(torch.__version__),
        model=ModelMetadata(
            config.model, asdict(config.network), dataset.shape, tuple(dataset.classes)
        ),
        dataset=DatasetMetadata(dataset.key, config.source, dataset.usable),
        config=config.as_nested(),
        origins={path: str(origin) for path, origin in config.origins.items()},
        pretrained=pretrained,
        processes=place().count,
    )
    shown = dataset.batch(positions(config.training.seed, 0, SCORED, len(dataset)))
    training = config.training
    return Checkpointer(
        folder.checkpoints,
        training.save_every,
        training.keep,
        training.keep_best,
        about,
        reference_thumbnails(shown),
        log,
    )
