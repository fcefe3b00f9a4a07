"""The scorer against images whose scores are known, and the strength of a style by the scorer."""

import numpy as np
import pytest
import scipy.linalg
import torch
from style_score import StyleScorer, alternation, border, seams, wasserstein
from torch.nn import functional as F

import ganvas
from ganvas.pretrained.examples import example
from ganvas.style.images import StyleImage
from ganvas.style.tiles import blocks


@pytest.fixture(scope="module")
def photograph():
    return example("moose", 128)


@pytest.fixture(scope="module")
def painting():
    return StyleImage(example("night_cafe", 128), None, "tensor")


@pytest.fixture(scope="module")
def scorer(photograph, painting):
    return StyleScorer(photograph, painting)


def test_the_photograph_is_all_content_and_no_style(scorer, photograph):
    score = scorer.score(photograph)
    assert score.style == pytest.approx(1)
    assert score.content == pytest.approx(1)


def test_the_painting_is_all_style(photograph, painting):
    scorer = StyleScorer(F.interpolate(photograph, painting.colours.shape[2:]), painting)
    score = scorer.score(painting.colours)
    assert score.style == pytest.approx(0, abs=1e-3)
    assert score.checkerboard == pytest.approx(1)
    assert score.content < 0.6


def test_distances_agree_with_scipy():
    stream = np.random.default_rng(0)
    one, other = (
        (stream.normal(size=5), (half := stream.normal(size=(5, 9))) @ half.T) for _ in range(2)
    )
    root = scipy.linalg.sqrtm(other[1])
    cross = np.trace(scipy.linalg.sqrtm(root @ one[1] @ root).real)
    expected = ((one[0] - other[0]) ** 2).sum() + np.trace(one[1] + other[1]) - 2 * cross
    assert wasserstein(one, other) == pytest.approx(expected**0.5)
    assert wasserstein(one, one) == pytest.approx(0, abs=1e-6)


def test_a_checkerboard_has_all_the_energy_and_stripes_none():
    odd = torch.arange(32) % 2
    board = (odd[:, None] ^ odd[None, :]).float().expand(1, 3, 32, 32)
    stripes = odd.float().expand(1, 3, 32, 32)
    assert alternation(board) == pytest.approx(1, rel=0.01)
    assert alternation(stripes) == pytest.approx(0, abs=1e-6)


def test_a_step_between_blocks_is_a_seam():
    stream = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, 1312, 1024, generator=stream)
    assert seams(image) == pytest.approx(1, rel=0.05)
    first, *_ = blocks(1312, 1024)
    _, (_, line) = first.inner
    assert 0 < line < 1024
    image[..., line:] += 2
    assert seams(image) > 3
    assert seams(image[..., :500, :500]) == 1, "one block has none"


def test_a_line_along_the_edge_is_a_border():
    stream = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, 96, 96, generator=stream)
    assert border(image) == pytest.approx(1, rel=0.05)
    image[..., :1] = 3
    assert border(image) > 1.2


def test_strength_goes_evenly_from_photograph_to_painting(scorer, photograph, painting):
    scores = []
    for strength in (0, 0.4, 1):
        *_, last = ganvas.stylize(
            photograph[0], painting.colours[0], size=128, strength=strength, preset="draft"
        )
        scores.append(scorer.score(last.image[None]))
    styles, contents = [s.style for s in scores], [s.content for s in scores]
    assert styles == sorted(styles, reverse=True)
    assert contents == sorted(contents, reverse=True)
    assert contents[0] > 0.95
    assert styles[0] - styles[-1] > 0.5
