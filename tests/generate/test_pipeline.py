"""What a pipeline may be asked for, and how everything else is refused, with the argument's
name."""

import math

import numpy as np
import pytest
import torch

import ganvas
from ganvas.checkpoints.metadata import ModelMetadata, RunMetadata
from ganvas.errors import GanvasError
from ganvas.generate.pipeline import Pipeline
from ganvas.models import MODELS, UnsuitableOptionError, build


def of(name, classes=()):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        settings = MODELS[name].settings(latent=8, width=4)
        generator = build(name, settings, (1, 16, 16), len(classes)).generator.eval()
    model = ModelMetadata(name, {}, (1, 16, 16), tuple(classes))
    return Pipeline(generator, RunMetadata(model=model))


@pytest.fixture(scope="module")
def plain():
    return of("fc", ("cat", "dog"))


@pytest.fixture(scope="module")
def styled():
    return of("stylegan")


ODD = [None, "3", b"3", 1.5, math.nan, math.inf, [], {}, object(), True, torch.ones(2)]


@pytest.mark.parametrize("count", [*ODD, 0, -1, -(10**30), 10**15, 10**400, 2.0])
def test_a_count_that_is_none_is_refused(count, plain):
    with pytest.raises(GanvasError, match=r"^count must be"):
        plain.sample(count)


@pytest.mark.parametrize("seed", [*ODD, -1, -(10**400), 1.0])
def test_a_seed_that_is_none_is_refused(seed, plain):
    with pytest.raises(GanvasError, match=r"^seed must be"):
        plain.sample(1, seed=seed)


SEEDS = [
    None, 5, "123", b"123", {}, {1: 2}, [], (), range(0), np.array([]), np.array(3), [-1], [1, -1],
    [1.0], ["1"], [None], [[1]], [True], np.array([0.5]), torch.tensor(3), torch.tensor([1.5]),
    object(),
]  # fmt: skip


@pytest.mark.parametrize("seeds", SEEDS, ids=lambda seeds: repr(seeds)[:20])
@pytest.mark.parametrize("method", ["generate", "latents", "styles", "growth"])
def test_seeds_that_are_none_are_refused(seeds, method, styled):
    with pytest.raises(GanvasError, match=r"^seeds must be"):
        getattr(styled, method)(seeds)


@pytest.mark.parametrize(
    "seeds",
    [(1, 2), range(1, 3), np.array([1, 2]), torch.tensor([1, 2]), iter([1, 2]), np.uint8([1, 2])],
    ids=lambda seeds: type(seeds).__name__,
)
def test_whatever_holds_whole_numbers_is_seeds(seeds, plain):
    assert torch.equal(plain.generate(seeds), plain.generate([1, 2]))


def test_numbers_of_any_size_are_seeds(plain):
    assert plain.sample(2, seed=10**400).shape == (2, 1, 16, 16)
    assert plain.sample(np.int64(2), seed=np.uint8(3)).shape == (2, 1, 16, 16)


@pytest.mark.parametrize(
    "truncation", [-0.1, 2.1, math.nan, math.inf, -math.inf, "1", b"1", [], [1], object(), True]
)
def test_a_truncation_that_is_none_is_refused(truncation, styled):
    for method in (styled.generate, styled.styles):
        with pytest.raises(GanvasError, match=r"^truncation must be a number from 0 to 2"):
            method([1], truncation)


def test_truncations_of_any_kind_of_number(styled):
    for truncation in (0, 1, 2, np.float32(0.5), torch.tensor(0.5)):
        assert styled.generate([1], truncation).shape == (1, 1, 16, 16)
    assert torch.equal(styled.generate([1], 0), styled.generate([2], 0))


@pytest.mark.parametrize("label", [5, b"cat", ["cat"], True, 0])
def test_a_label_that_is_no_name_is_refused(label, plain):
    with pytest.raises(GanvasError, match=r"^label must be the name of a class"):
        plain.generate([1], label=label)
    with pytest.raises(GanvasError, match="no label is called 'cow'"):
        plain.generate([1], label="cow")


@pytest.mark.parametrize(
    "latents",
    [None, [[0.0] * 10], np.zeros((1, 10)), torch.zeros(1, 8), torch.zeros(10), torch.zeros(0, 10),
     torch.zeros(1, 10, 1), torch.zeros(1, 10).long()],
    ids=lambda latents: f"{type(latents).__name__}{getattr(latents, 'shape', '')}",
)  # fmt: skip
def test_latents_that_are_none_are_refused(latents, plain):
    with pytest.raises(GanvasError, match=r"^latents must be a tensor \(N, 10\)"):
        plain.from_latents(latents)


def test_styles_that_are_none_are_refused(styled, plain):
    whole = styled.styles([1, 2])
    assert styled.from_styles(whole).shape == (2, 1, 16, 16)
    for styles in (None, whole[0], whole[:0], whole[:, :1], whole[..., :3], whole.long()):
        with pytest.raises(GanvasError, match=r"^styles must be a tensor \(N, 6, 8\)"):
            styled.from_styles(styles)
    with pytest.raises(UnsuitableOptionError, match="no styles"):
        plain.from_styles(whole)


def test_what_does_not_fit_into_memory_is_refused_at_once():
    with pytest.raises(GanvasError, match=r"^count must be at most [\d,]+ here"):
        ganvas.load("digits").sample(10**12)
