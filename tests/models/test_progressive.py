"""Growth: when, how, and that nothing jumps when a layer is unlocked."""

from itertools import pairwise

import pytest
import torch

from ganvas.models.layers import smaller
from ganvas.models.progressive import (
    FULL_SIZE,
    ProgressiveGAN,
    ProgressiveSettings,
    level_at,
    twice,
)
from ganvas.runtime.rng import Stream

NONE = torch.zeros(4, 0)  # labels, where there are no classes
SHAPE = (3, 32, 48)  # four resolutions from 4x6
COUNT = 4


@pytest.fixture
def model():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return ProgressiveGAN(ProgressiveSettings(latent=8, width=4), SHAPE)


def at(model, level):
    model.generator.level.fill_(level)
    model.discriminator.level.fill_(level)
    return model


def drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def test_it_grows_steadily_and_is_done_in_time():
    levels = [level_at(i / 1000, COUNT) for i in range(1001)]
    assert levels == sorted(levels)
    assert levels[0] == 0
    assert levels[-1] == COUNT - 1
    assert max(b - a for a, b in pairwise(levels)) < 0.02, "without a jump"
    assert levels[round(1000 * (1 - FULL_SIZE)) + 1] == COUNT - 1
    for level in range(COUNT - 1):
        alone = levels.count(float(level)) / 1000
        assert alone == pytest.approx((1 - FULL_SIZE) / 6, abs=0.01)
    assert level_at(0.7, 1) == 0


@pytest.mark.parametrize("level", range(COUNT - 1))
def test_nothing_jumps_when_a_layer_is_unlocked_or_alone(model, level):
    model.eval()
    latents, stream = drawn(4, 8), Stream(torch.Generator())
    barely, nearly = level + 1e-7, level + 1 - 1e-7
    with torch.no_grad():
        for alike, fraction in ((barely, level), (nearly, level + 1)):
            (before,) = at(model, fraction).fake(latents, stream)
            score = model.discriminate([before], NONE)
            (after,) = at(model, alike).fake(latents, stream)
            grown = before if before.shape == after.shape else twice(before)
            torch.testing.assert_close(after, grown, rtol=1e-4, atol=1e-4)
            torch.testing.assert_close(
                model.discriminate([grown], NONE), score, rtol=1e-4, atol=1e-4
            )
            real = drawn(4, *SHAPE)
            (seen,) = model.view(real)
            assert seen.shape == after.shape
            (whole,) = at(model, fraction).view(real)
            grown = whole if whole.shape == seen.shape else twice(whole)
            torch.testing.assert_close(seen, grown, rtol=1e-4, atol=1e-4)


def test_while_fading_everything_is_a_mixture(model):
    real = drawn(2, *SHAPE)
    (mixed,) = at(model, 2.25).view(real)
    torch.testing.assert_close(mixed, 0.75 * twice(smaller(real)) + 0.25 * real)
    latents, stream = drawn(4, 8), Stream(torch.Generator())
    with torch.no_grad():
        (coarse,), (fine,) = (at(model, level).fake(latents, stream) for level in (2, 3))
        (between,) = at(model, 2.25).fake(latents, stream)
    torch.testing.assert_close(between, 0.75 * twice(coarse) + 0.25 * fine)


def test_small_images_come_in_larger_batches(model):
    assert [at(model, level).batch(16) for level in (0, 1, 1.5, 2, 2.1, 3)] == [
        64, 64, 32, 32, 16, 16
    ]  # fmt: skip


def test_images_are_always_shown_at_full_size(model):
    for level in (0, 1.5, 3):
        (image,) = at(model, level).generator(drawn(2, 8))
        assert image.shape == (2, *SHAPE)


def test_a_checkpoint_knows_its_resolution(model):
    at(model, 1.5)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    at(model, 0).load_state_dict(state)
    assert float(model.generator.level) == float(model.discriminator.level) == 1.5
