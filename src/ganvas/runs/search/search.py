"""A race: candidates train by turns, the weak drop out round by round, and the best goes on.

By successive halving (halving.py) on kernel distance through a feature network. What a candidate
has learnt is not lost: in the next round it goes on, and the winner is the run.
"""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf, nan
from pathlib import Path

from ganvas import config
from ganvas.config import Nested
from ganvas.errors import GanvasError
from ganvas.events import Event, Notice, Raced, Racing, Standing, Step
from ganvas.generate.trained import Trained
from ganvas.runs import fine_tune
from ganvas.runs.build import Setup, portioned
from ganvas.runs.plan import SHARE_FOR_STEPS
from ganvas.runs.search.candidates import candidates, spoken
from ganvas.runs.search.drawing import draw
from ganvas.runs.search.halving import rounds, survivors
from ganvas.runs.search.study import Book, Heat
from ganvas.runtime.signals import Interrupts, held_back
from ganvas.training import DivergedError, Goal, TrainingState, train
from ganvas.training.callbacks.evaluation import Judge
from ganvas.training.state import finite

SHARE = 0.3  # of the run, for all candidates together; the winner keeps its own part of it
SAMPLES = 1000  # of all in a round together, whose distances from the real pictures rank them
FEWEST = 60  # of one


class RaceError(GanvasError, ValueError):
    """A race that cannot be run, or that nobody finished; the message says what to change."""


@dataclass(frozen=True)
class Part:
    """What a candidate has of one round: seconds of training, or pictures."""

    seconds: float = inf
    images: float = inf

    def used(self, state: TrainingState) -> Callable[[], float]:
        """How much of it is used up, counted from now on."""
        seconds, images = state.seconds, state.images
        return lambda: max(
            (state.seconds - seconds) / self.seconds, (state.images - images) / self.images
        )


@dataclass(frozen=True)
class Race:
    """One race; how far it has come is in its book."""

    book: Book
    setup: Setup  # of the run as it is planned
    judge: Judge
    start: Trained | None  # whose weights all begin with

    @classmethod
    def opened(
        cls,
        folder: Path,
        setup: Setup,
        judge: Judge,
        start: Trained | None,
        asked: Nested,
        spent: float,
    ) -> "Race":
        """One that has not begun, in a run that has lasted `spent` seconds.

        Raises RaceError where nothing may differ, or candidates would have no time.
        """
        count = setup.settings.training.race
        assert count is not None, "otherwise there is no race"
        runners = candidates(setup, asked, count)
        if len(runners) < count:
            raise RaceError(
                f"--race {count}: everything in which candidates differ was asked for by name; "
                "leave out learning rates, penalties or --width."
            )
        began = time.monotonic()
        judge.kernel(setup.start(), samples(count))
        takes = time.monotonic() - began
        now = spent + takes
        book = Book(folder, config.as_nested(setup.settings), runners, takes, now, now)
        race = cls(book, setup, judge, start)
        if race._part(count).seconds < takes:
            least = now + 2 * takes * count * len(race.sizes) / SHARE
            raise RaceError(
                f"--race {count}: candidates would be scored for longer here than they train; "
                f"give --for {least / 60 + 1:.0f}m or more, or race fewer."
            )
        book.write()
        return race

    @cached_property
    def sizes(self) -> list[int]:
        """How many run in each round."""
        return rounds(len(self.book.candidates))

    def run(self, later: float) -> Generator[Event, None, tuple[Setup, TrainingState]]:
        """Run what has not been run yet: the setup and the state of the winner.

        `later` are seconds of the budget that something else needs. Ctrl-C and SIGTERM end the race
        after a step and are raised again; the book then says where it goes on. Raises RaceError
        when nobody paints anything finite.
        """
        began = time.monotonic() - self.book.spent
        runners = [*range(len(self.book.candidates))]
        with held_back() as interrupts:
            for number in range(len(self.sizes)):
                yield from self._round(number, runners, began, interrupts)
                if interrupts.received:
                    yield Notice("The race is stopped; it goes on with --resume.")
                    break
                better = self._better(number, runners)
                draw(self.book)
                yield self._raced(number, runners, better)
                self.book.forget(set(runners) - set(better))
                runners = better
        interrupts.raise_again()
        return (yield from self._winner(runners[0], began, later))

    def _round(
        self, number: int, runners: list[int], began: float, interrupts: Interrupts
    ) -> Iterator[Event]:
        """Every heat of a round that has not been run, unless it is interrupted."""
        for candidate in runners:
            if self.book.heat(number, candidate) is not None:
                continue
            setup, state = yield from self._runner(candidate, number)
            yield from self._train(setup, state, number, candidate, interrupts)
            if interrupts.received:
                return
            heat = _scored(self.judge, state, number, candidate, samples(len(runners)))
            self.book.keep(heat, state, time.monotonic() - began)

    def _winner(
        self, candidate: int, began: float, later: float
    ) -> Generator[Event, None, tuple[Setup, TrainingState]]:
        """As the run that it is from now on, with what is left of the budget."""
        setup, state = yield from self._runner(candidate, len(self.sizes))
        yield Notice(
            f"Candidate {candidate + 1} goes on: {spoken(self.book.candidates[candidate])}."
        )
        training = replace(setup.settings.training, race=None)
        spent = time.monotonic() - began
        if training.budget is not None:
            left = max(0.0, training.budget - spent - later)
            more = round(left * SHARE_FOR_STEPS * state.images / state.seconds)
            training = replace(training, images=state.images + more)
        state.seconds = spent
        return setup.with_training(training), state

    def _part(self, size: int) -> Part:
        """Of each of so many in one round; scoring them is part of the race."""
        training, heats = self.setup.settings.training, len(self.sizes) * size
        if training.budget is None:
            assert training.images is not None, "settled() leaves one of them"
            return Part(images=max(1, SHARE * training.images // heats))
        whole = SHARE * (training.budget - self.book.before) / heats
        takes = self.book.score_takes * samples(size) / samples(self.sizes[0])
        return Part(seconds=whole - takes)

    def _runner(
        self, candidate: int, number: int
    ) -> Generator[Event, None, tuple[Setup, TrainingState]]:
        """A candidate as it comes into a round."""
        changes = self.book.candidates[candidate]
        setup = self.setup.changed(changes)
        if "network" in changes:  # another width, another need of memory
            training = replace(setup.settings.training, accumulate=None)
            setup = yield from portioned(setup.with_training(training))
        state = setup.start()
        if number:
            self.book.restore(candidate, number - 1, state)
        elif self.start is not None:
            fine_tune.load(self.start, state)
        return setup, state

    def _train(
        self,
        setup: Setup,
        state: TrainingState,
        number: int,
        candidate: int,
        interrupts: Interrupts,
    ) -> Iterator[Event]:
        """One heat; a candidate that diverges ends it where it is."""
        training = setup.settings.training
        assert training.images is not None, "planned"
        goal, used = Goal(training.images), self._part(self.sizes[number]).used(state)
        steps = train(
            setup.game,
            state,
            setup.feed,
            goal,
            training.ema,
            stopped=lambda: bool(interrupts.received) or used() >= 1,
        )
        place = number + 1, len(self.sizes), candidate + 1, len(self.book.candidates)
        try:
            for event in steps:
                if isinstance(event, Step):
                    yield Racing(*place, min(1.0, used()))
        except DivergedError:
            return

    def _better(self, number: int, runners: list[int]) -> list[int]:
        heats = {runner: self._heat(number, runner) for runner in runners}
        distances = {runner: heat.distance for runner, heat in heats.items()}
        if min(distances.values()) == inf:
            raise RaceError(
                "no candidate of the race paints anything finite; begin again with lower learning "
                "rates (--lr-g, --lr-d) and another --out."
            )
        return survivors(distances, {runner: heat.error for runner, heat in heats.items()})

    def _raced(self, number: int, runners: list[int], better: list[int]) -> Raced:
        """How a round stands, the best first."""
        heats = [self._heat(number, runner) for runner in runners]
        heats.sort(key=lambda heat: heat.distance)
        standings = tuple(
            Standing(
                heat.candidate + 1,
                spoken(self.book.candidates[heat.candidate]),
                heat.images,
                nan if heat.kernel is None else heat.kernel,
                heat.error,
                heat.candidate in better,
            )
            for heat in heats
        )
        return Raced(number + 1, len(self.sizes), standings)

    def _heat(self, number: int, candidate: int) -> Heat:
        heat = self.book.heat(number, candidate)
        assert heat is not None, "all of a round have run"
        return heat


def samples(size: int) -> int:
    """How many each of so many in a round is scored by: early, differences are large."""
    return max(FEWEST, SAMPLES // size)


def _scored(judge: Judge, state: TrainingState, number: int, candidate: int, count: int) -> Heat:
    found = judge.kernel(state, count) if finite(state) else None
    if found is None:
        return Heat(number, candidate, state.images, None, nan)
    return Heat(number, candidate, state.images, found.relative, found.relative_error)
