"""A search: trials train by turns, the weak drop out round by round, and the best goes on.

By successive halving (halving.py) on KID (kernel distance) through a feature network. What a trial
has learnt is not lost: in the next round it goes on, and the winner is the run.
"""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf, nan
from pathlib import Path

from ganvas.config import Origin
from ganvas.errors import GanvasError
from ganvas.events import Event, Notice, RoundFinished, Standing, Step, TrialProgress
from ganvas.generate.trained import Trained
from ganvas.runs import fine_tune
from ganvas.runs.control import Control, Stop
from ganvas.runs.plan import SHARE_FOR_STEPS, Plan, micro_batches
from ganvas.runs.search.drawing import draw
from ganvas.runs.search.halving import rounds, survivors
from ganvas.runs.search.study import Study, TrialResult
from ganvas.runs.search.trials import in_words, trials
from ganvas.runtime.signals import held_back
from ganvas.training import DivergedError, Goal, TrainingState, train
from ganvas.training.callbacks.evaluation import Scorer
from ganvas.training.state import finite

SHARE = 0.3  # of the run, for all trials together; the winner keeps its own part of it
SAMPLES = 1000  # of all in a round together, whose distances from the real images rank them
FEWEST = 60  # of one


class SearchError(GanvasError, ValueError):
    """A search that cannot be run, or of which no trial stayed finite; the message says what to
    change."""


@dataclass(frozen=True)
class RoundShare:
    """What a trial has of one round: seconds of training, or images."""

    seconds: float = inf
    images: float = inf

    def used(self, state: TrainingState) -> Callable[[], float]:
        """How much of it is used up, counted from now on."""
        seconds, images = state.seconds, state.images
        return lambda: max(
            (state.seconds - seconds) / self.seconds, (state.images - images) / self.images
        )


@dataclass(frozen=True)
class _TrialControl:
    """What ends the training of a trial: its part of the round, or a command to the search."""

    control: Control
    state: TrainingState
    used: Callable[[], float]

    @property
    def stopped(self) -> bool:
        return self.control.stopped or self.used() >= 1

    def between_steps(self) -> Iterator[Event]:
        def save() -> Event:
            return Notice("Trials are saved after each round.")

        yield from self.control.apply(self.state, save)


@dataclass(frozen=True)
class Search:
    """One search; how far it has come is in its study."""

    study: Study
    plan: Plan  # of the run without a search
    scorer: Scorer
    start: Trained | None  # whose weights all begin with

    @classmethod
    def opened(
        cls,
        folder: Path,
        plan: Plan,
        scorer: Scorer,
        start: Trained | None,
        spent: float,
    ) -> "Search":
        """One that has not begun, in a run that has lasted `spent` seconds.

        Raises SearchError where nothing may differ, or trials would have no time.
        """
        count = plan.build.config.training.trials
        assert count is not None, "otherwise there is no search"
        differing = trials(plan.build, count)
        if len(differing) < count:
            raise SearchError(
                f"--trials {count}: everything in which trials differ was asked for by name; "
                "leave out learning rates, penalties or --width."
            )
        began = time.monotonic()
        scorer.kernel(plan.build.initial_state(), samples(count))
        takes = time.monotonic() - began
        now = spent + takes
        study = Study(folder, plan.config.as_nested(), differing, takes, now, now)
        search = cls(study, plan, scorer, start)
        if search._part(count).seconds < takes:
            least = now + 2 * takes * count * len(search.sizes) / SHARE
            raise SearchError(
                f"--trials {count}: scoring takes longer here than training; "
                f"give --for {least / 60 + 1:.0f}m or more, or fewer trials."
            )
        study.write()
        return search

    @cached_property
    def sizes(self) -> list[int]:
        """How many run in each round."""
        return rounds(len(self.study.trials))

    def run(self, later: float) -> Generator[Event, None, tuple[Plan, TrainingState]]:
        """Run what has not been run yet: the plan and the state of the winner.

        `later` are seconds of the budget that something else needs. Ctrl-C and SIGTERM end the
        search after a step and are raised again; the study then says where it goes on. Raises
        SearchError when no trial generates anything finite."""
        began = time.monotonic() - self.study.spent
        left = [*range(len(self.study.trials))]
        control = Control()
        with held_back(lambda signal: control.put(Stop(signal.name))) as interrupts:
            for number in range(len(self.sizes)):
                yield from self._round(number, left, began, control)
                if control.stopped:
                    yield Notice("The search is stopped; it goes on with --resume.")
                    break
                better = self._better(number, left)
                draw(self.study)
                yield self._round_finished(number, left, better)
                self.study.forget(set(left) - set(better))
                left = better
        interrupts.raise_again()
        return (yield from self._winner(left[0], began, later))

    def _round(
        self, number: int, left: list[int], began: float, control: Control
    ) -> Iterator[Event]:
        """Train and score every trial that has no result in this round yet, unless interrupted."""
        for trial in left:
            if self.study.result(number, trial) is not None:
                continue
            plan, state = yield from self._trial(trial, number)
            yield from self._train(plan, state, number, trial, control)
            if control.stopped:
                return
            result = _score(self.scorer, state, number, trial, samples(len(left)))
            self.study.keep(result, state, time.monotonic() - began)

    def _winner(
        self, trial: int, began: float, later: float
    ) -> Generator[Event, None, tuple[Plan, TrainingState]]:
        """As the run that it is from now on, with what is left of the budget."""
        plan, state = yield from self._trial(trial, len(self.sizes))
        yield Notice(f"Trial {trial + 1} goes on: {in_words(self.study.trials[trial])}.")
        config, spent = plan.build.config, time.monotonic() - began
        if config.training.budget is not None:
            left = max(0.0, config.training.budget - spent - later)
            more = round(left * SHARE_FOR_STEPS * state.images / state.seconds)
            plan = replace(plan, images=state.images + more)
        state.seconds = spent
        over = config.with_values({"training": {"trials": None}}, Origin.SEARCH)
        return replace(plan, build=plan.build.resolved(over)), state

    def _part(self, size: int) -> RoundShare:
        """What each of so many trials has of one round; scoring is part of the search."""
        budget, results = self.plan.build.config.training.budget, len(self.sizes) * size
        if budget is None:
            return RoundShare(images=max(1, SHARE * self.plan.images // results))
        whole = SHARE * (budget - self.study.before) / results
        takes = self.study.score_takes * samples(size) / samples(self.sizes[0])
        return RoundShare(seconds=whole - takes)

    def _trial(self, trial: int, number: int) -> Generator[Event, None, tuple[Plan, TrainingState]]:
        """A trial as it comes into a round."""
        changes, plan = self.study.trials[trial], self.plan
        config = plan.build.config.with_values(changes, Origin.SEARCH)
        plan = replace(plan, build=plan.build.resolved(config))
        if "network" in changes:  # another width, another need of memory
            plan = replace(plan, micro_batches=(yield from micro_batches(plan.build)))
        state = plan.build.initial_state()
        state.accumulate = plan.micro_batches
        if number:
            self.study.restore(trial, number - 1, state)
        elif self.start is not None:
            fine_tune.load(self.start, plan.build, state)
        return plan, state

    def _train(
        self,
        plan: Plan,
        state: TrainingState,
        number: int,
        trial: int,
        control: Control,
    ) -> Iterator[Event]:
        """Train one trial for its part of a round; one that diverges stops where it is."""
        used, build = self._part(self.sizes[number]).used(state), plan.build
        steps = train(
            build.trainer,
            state,
            build.loader,
            Goal(plan.images),
            build.config.training.ema,
            control=_TrialControl(control, state, used),
        )
        place = number + 1, len(self.sizes), trial + 1, len(self.study.trials)
        try:
            for event in steps:
                if isinstance(event, Step):
                    yield TrialProgress(*place, min(1.0, used()))
        except DivergedError:
            return

    def _better(self, number: int, left: list[int]) -> list[int]:
        results = {trial: self._result(number, trial) for trial in left}
        distances = {trial: result.distance for trial, result in results.items()}
        if min(distances.values()) == inf:
            raise SearchError(
                "no trial of the search generates anything finite; begin again with lower learning "
                "rates (--lr-g, --lr-d) and another --out."
            )
        return survivors(distances, {trial: result.error for trial, result in results.items()})

    def _round_finished(self, number: int, left: list[int], better: list[int]) -> RoundFinished:
        """How a round stands, the best first."""
        results = [self._result(number, trial) for trial in left]
        results.sort(key=lambda result: result.distance)
        standings = tuple(
            Standing(
                result.trial + 1,
                in_words(self.study.trials[result.trial]),
                result.images,
                nan if result.kernel is None else result.kernel,
                result.error,
                result.trial in better,
            )
            for result in results
        )
        return RoundFinished(number + 1, len(self.sizes), standings)

    def _result(self, number: int, trial: int) -> TrialResult:
        result = self.study.result(number, trial)
        assert result is not None, "all of a round have run"
        return result


def samples(size: int) -> int:
    """How many each of so many in a round is scored by: early, differences are large."""
    return max(FEWEST, SAMPLES // size)


def _score(
    scorer: Scorer, state: TrainingState, number: int, trial: int, count: int
) -> TrialResult:
    found = scorer.kernel(state, count) if finite(state) else None
    if found is None:
        return TrialResult(number, trial, state.images, None, nan)
    return TrialResult(number, trial, state.images, found.relative, found.relative_error)
