"""A walk: closed, even, and never far from where a generator has been trained."""

import math

import pytest
import torch

from ganvas.generate.interpolate import spherical, walk


@pytest.fixture
def stations():
    return torch.randn(4, 64, generator=torch.Generator().manual_seed(0))


def test_it_passes_through_every_station_and_begins_again(stations):
    path = walk(stations, 40, 64)
    assert path.shape == (40, 64)
    torch.testing.assert_close(path[::10], stations)
    before_the_end = (path[39] - path[0]).norm()
    assert before_the_end == pytest.approx((path[1] - path[0]).norm().item(), rel=0.5)


def test_no_frame_is_nearer_to_the_middle_than_the_stations(stations):
    lengths = walk(stations, 400, 64).norm(dim=1)
    ends = stations.norm(dim=1)
    assert lengths.min() >= ends.min() - 1e-4
    assert lengths.max() <= ends.max() + 1e-4


def test_a_quarter_of_a_right_angle_is_22_and_a_half_degrees():
    one, other = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 4.0]])
    found = spherical(one, other, torch.full((1, 1), 0.25, dtype=torch.float64))
    angle = math.radians(22.5)
    torch.testing.assert_close(found, 2.5 * torch.tensor([[math.cos(angle), math.sin(angle)]]))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_same_and_the_opposite_are_finite(sign):
    one = torch.randn(3, 8, generator=torch.Generator().manual_seed(1))
    half = torch.full((3, 1), 0.5, dtype=torch.float64)
    assert torch.isfinite(spherical(one, sign * one, half)).all()
    torch.testing.assert_close(spherical(one, one, half), one)


def test_one_station_is_a_still(stations):
    assert torch.equal(walk(stations[:1], 5, 64), stations[:1].expand(5, -1))


def test_labels_are_faded_and_numbers_go_round(stations):
    labelled = torch.cat([stations, torch.eye(4)], 1)
    path = walk(labelled, 40, 64)
    torch.testing.assert_close(path[:, :64], walk(stations, 40, 64))
    torch.testing.assert_close(path[5, 64:], torch.tensor([0.5, 0.5, 0.0, 0.0]))
    torch.testing.assert_close(path[:, 64:].sum(1), torch.ones(40))
