"""The loop: events, goals, averages, and what happens to steps that are not finite."""

from dataclasses import replace

import pytest
import torch

from ganvas.data.loader import Loader
from ganvas.events import Dropped, Step
from ganvas.training import DivergedError, Goal, ema, train
from ganvas.training.loop import PATIENCE
from ganvas.training.schedules import fading, learning_rate, waning

CPU = torch.device("cpu")
SHAPE = (1, 16, 16)


class Sometimes(Loader):
    """A loader whose batches are not numbers while `broken` says so."""

    def load_parts(self, seed, first, count, parts):
        factor = float("nan") if self.broken(first + count) else 1.0
        batches = super().load_parts(seed, first, count, parts)
        return [replace(batch, images=factor * batch.images) for batch in batches]


def loader_of(images, broken):
    loader = Sometimes(images, 8, CPU)
    object.__setattr__(loader, "broken", broken)
    return loader


def test_steps_are_reported_until_the_goal(small, begin, blobs):
    game, state = begin("fc", small("fc", SHAPE))
    events = list(train(game, state, Loader(blobs(SHAPE), 8, CPU), Goal(images=40), 0.05))
    assert [event.step for event in events] == [1, 2, 3, 4, 5]
    assert [event.images for event in events] == [8, 16, 24, 32, 40]
    assert [event.fraction for event in events] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert all(event.seconds > 0 for event in events)


def test_whoever_iterates_may_stop(small, begin, blobs):
    game, state = begin("fc", small("fc", SHAPE))
    for event in train(game, state, Loader(blobs(SHAPE), 8, CPU), Goal(images=8000), 0.05):
        if event.step == 4:
            break
    assert state.step == 4


def test_watchers_see_every_step_and_their_events_are_passed_on(small, begin, blobs):
    class Echo:
        def watch(self, state, step):
            yield Dropped(step.step, "echo")

    game, state = begin("fc", small("fc", SHAPE))
    loader = Loader(blobs(SHAPE), 8, CPU)
    events = list(train(game, state, loader, Goal(images=16), 0.05, [Echo()]))
    assert [type(event) for event in events] == [Step, Dropped, Step, Dropped]


def test_a_step_that_is_not_finite_is_dropped_and_reported(small, begin, blobs):
    game, state = begin("dcgan", small("dcgan", SHAPE))
    loader = loader_of(blobs(SHAPE), lambda images: images == 24)
    events = list(train(game, state, loader, Goal(images=48), 0.05))
    assert [event.step for event in events if isinstance(event, Dropped)] == [3]
    assert state.dropped == 1
    floats = [t for ts in state.tensors().values() for t in ts.values() if t.is_floating_point()]
    assert all(torch.isfinite(tensor).all() for tensor in floats)


def test_a_run_that_only_drops_steps_is_given_up_with_advice(small, begin, blobs):
    game, state = begin("fc", small("fc", SHAPE))
    events = train(game, state, loader_of(blobs(SHAPE), lambda _: True), Goal(images=8000), 0.05)
    seen = []
    with pytest.raises(DivergedError, match="lower learning rates"):
        seen.extend(events)
    assert state.dropped == PATIENCE


def test_a_bad_step_now_and_then_never_ends_a_run(small, begin, blobs):
    game, state = begin("fc", small("fc", SHAPE))
    loader = loader_of(blobs(SHAPE), lambda images: images % 16 == 0)
    list(train(game, state, loader, Goal(images=8 * 4 * PATIENCE), 0.05))
    assert state.dropped == 2 * PATIENCE


def test_the_average_has_the_half_life_that_was_asked_for():
    kept = 1.0
    for images in range(1000, 2000, 10):  # half-life 1,000 images, held fixed by the share
        kept *= ema.decay(1000 / images, images, batch=10)
    assert kept == pytest.approx(0.5)
    assert ema.decay(0.05, 64, 64) < 1e-5  # the first step's weights replace the initial ones
    assert ema.decay(0.0, 64, 64) == 0.0


def test_averages_move_by_the_share(small):
    one, other = small("fc", SHAPE).generator, small("fc", SHAPE).generator
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1.0)
    before = [p.clone() for p in one.parameters()]
    ema.update(one, other, 0.75)
    for old, new in zip(before, one.parameters(), strict=True):
        torch.testing.assert_close(new, old + 0.25)


def test_schedules_at_their_corners():
    assert [learning_rate(f, 0.5) for f in (0.0, 0.5, 0.75, 1.0)] == [1.0, 1.0, 0.5, 0.0]
    assert learning_rate(0.99, 1.0) == 1.0
    assert [fading(f) for f in (0.0, 0.25, 1.0)] == [1.0, 0.75, 0.0]
    assert [waning(f, 0.01) for f in (0.0, 0.5, 1.0, 1.1)] == pytest.approx([1.0, 0.1, 0.01, 0.01])
    assert waning(0.7, 1.0) == 1.0
