"""A film of growth: every resolution is held, and turns into the next without a jump."""

import torch

from ganvas.generate.growth import growing


def test_resolutions_are_held_and_faded():
    pyramid = [torch.full((2, 1, 4, 4), -1.0), torch.full((2, 1, 8, 8), 1.0)]
    frames = [float(frame.mean()) for frame in growing(pyramid, hold=3, fade=5)]
    assert frames == [-1] * 3 + [-1, -0.5, 0, 0.5, 1] + [1] * 3
    assert all(frame.shape == (2, 1, 8, 8) for frame in growing(pyramid, 3, 5))


def test_pixels_of_coarse_levels_are_repeated():
    coarse = torch.arange(16.0).view(1, 1, 4, 4)
    first = next(growing([coarse, torch.zeros(1, 1, 16, 16)], 1, 2))
    assert torch.equal(first[0, 0, ::4, ::4], coarse[0, 0])
    assert torch.equal(first[0, 0, :4, :4], torch.zeros(4, 4))
