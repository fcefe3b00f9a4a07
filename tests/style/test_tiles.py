"""Blocks cover an image once, and see what they must."""

import itertools

import numpy as np
import pytest

from ganvas.style.tiles import BLOCK, MARGIN, STRIDE, blocks


@pytest.mark.parametrize("side", [64, 128, 512])
@pytest.mark.parametrize(
    ("height", "width"), [(16, 16), (130, 67), (512, 512), (300, 777), (327, 1009)]
)
def test_every_pixel_belongs_to_one_block(height, width, side):
    counted = np.zeros((height, width), int)
    for block in blocks(height, width, side):
        (top, bottom), (left, right) = block.inner
        counted[top:bottom, left:right] += 1
        assert (top % STRIDE, left % STRIDE) == (0, 0)
        for inner, outer, length in zip(block.inner, block.outer, (height, width), strict=True):
            assert 0 <= outer[0] <= max(0, inner[0] - MARGIN)
            assert min(length, inner[1] + MARGIN) <= outer[1] <= length
            assert outer[0] % STRIDE == 0
            assert inner[1] - inner[0] <= side
    assert (counted == 1).all()


@pytest.mark.parametrize("stride", [1, 2, 4, 8, 16])
def test_every_activation_belongs_to_one_block(stride):
    height, width = 203, 331
    counted = np.zeros((height // stride, width // stride), int)
    for block in blocks(height, width, 64):
        rows, columns = block.place(stride)
        counted[rows, columns] += 1
        own = [s.stop - s.start for s in block.own(stride)]
        assert own == [s.stop - s.start for s in (rows, columns)]
    assert (counted == 1).all()


@pytest.mark.parametrize(("height", "width"), [(2160, 3840), (1371, 2049)])
def test_windows_are_alike_so_that_memory_is_used_again(height, width):
    sizes = [[last - first for first, last in b.outer] for b in blocks(height, width)]
    for lengths in zip(*sizes, strict=True):
        assert max(lengths) - min(lengths) < STRIDE


def test_a_small_image_is_one_block():
    (block,) = blocks(100, 200, 512)
    assert block.inner == block.outer == ((0, 100), (0, 200))
    assert len(list(itertools.islice(blocks(100, 200, 64), 99))) == 8


def test_images_that_fit_easily_are_looked_at_whole():
    assert len(list(blocks(1000, 1200))) == 1
    assert len(list(blocks(1000, 1201))) == 4
    assert all(
        (rows[1] - rows[0], columns[1] - columns[0]) <= (BLOCK + 2 * MARGIN,) * 2
        for rows, columns in (block.outer for block in blocks(2160, 3840))
    )
