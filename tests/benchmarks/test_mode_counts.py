import math

import pytest
import torch
from mode_counts import modes, stacked_modes

RING = torch.tensor([[math.cos(math.pi * k / 4), math.sin(math.pi * k / 4)] for k in range(8)])


def around(centres, count, spread, seed=0):
    random = torch.Generator().manual_seed(seed)
    return centres.repeat(count, 1) + spread * torch.randn(
        count * len(centres), 2, generator=random
    )


def test_all_modes_of_the_real_mixture_are_found():
    found = modes(around(RING, 250, 0.01), RING, 0.01)
    assert (found.found, found.of) == (8, 8)
    assert found.quality == pytest.approx(1 - math.exp(-4.5), abs=0.01)  # Rayleigh, beyond 3


def test_a_mode_needs_twenty_samples():
    samples = torch.cat([RING[:1].repeat(20, 1), RING[1:2].repeat(19, 1)])
    assert modes(samples, RING, 0.01).found == 1


def test_samples_between_modes_are_of_no_quality():
    assert modes(torch.zeros(100, 2), RING, 0.01).quality == 0


def test_stacked_digits_are_counted_as_combinations():
    every = torch.cartesian_prod(*[torch.arange(10)] * 3)
    found = stacked_modes(every.repeat(3, 1))
    assert (found.found, found.divergence) == (1000, pytest.approx(0))
    one = stacked_modes(torch.tensor([[1, 2, 3]] * 50))
    assert (one.found, one.divergence) == (1, pytest.approx(math.log(1000)))
    half = stacked_modes(every[:500])
    assert (half.found, half.divergence) == (500, pytest.approx(math.log(2)))
