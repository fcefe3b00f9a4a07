import numpy as np
import pytest
import torch
from mode_counts import modes
from toy import GRID, RING, Points, StackedDigits

from ganvas.data import DataSettings, prepare
from ganvas.data.loader import Loader
from ganvas.imaging.tensors import to_floats
from ganvas.training.state import TrainingState


def as_points(found):
    return to_floats(torch.from_numpy(found.batch(range(2000)))).flatten(1)


@pytest.mark.parametrize(("mixture", "count"), [(RING, 8), (GRID, 25)])
def test_points_lie_around_all_modes(mixture, count):
    points = Points(mixture)
    assert points.batch([0, 1]).shape == (2, 1, 1, 2)
    found = modes(as_points(points), torch.from_numpy(mixture.centres), mixture.spread)
    assert (found.found, found.of) == (count, count)
    assert found.quality == pytest.approx(0.989, abs=0.01)
    assert as_points(points).abs().max() < 1
    assert points.labels([0, 1]).shape == (2, 0)


def test_points_are_not_rounded_to_bytes():
    assert len(np.unique(Points(RING).batch(range(2000)))) > 3000


def test_the_same_seed_gives_the_same_points():
    assert (Points(RING).points == Points(RING).points).all()
    assert (Points(RING).points != Points(RING, seed=1).points).any()


def test_points_are_trained_on_like_images(small, begin):
    from ganvas.training import Goal, train

    game, state = begin("fc", small("fc", Points.shape))
    assert isinstance(state, TrainingState)
    loader = Loader(Points(RING, 500), 16, torch.device("cpu"))
    steps = list(train(game, state, loader, Goal(images=64), 0.05))
    assert len(steps) == 4
    assert state.average(torch.randn(3, state.average.latent))[-1].shape == (3, 2, 1, 1)


def test_stacked_digits_have_a_digit_in_each_colour(returned):
    digits = returned(prepare("digits", DataSettings(size="32")))
    stacked = StackedDigits(digits, count=50)
    found = stacked.batch([3, 7])
    assert found.shape == (2, 32, 32, 3)
    assert stacked.shape == (3, 32, 32)
    for channel, number in enumerate(stacked.triples[7]):
        assert (found[1, :, :, channel] == digits.batch([number])[0, :, :, 0]).all()
