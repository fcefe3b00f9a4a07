"""Its players mirror each other, and every weight learns by its own size."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ganvas.models.compact import (
    UPSAMPLING,
    Branch,
    CompactDoubling,
    CompactGAN,
    CompactSettings,
    Gate,
    LearntDoubling,
    Residual,
)
from ganvas.training.optim import parameter_groups, set_lr

SHAPE = (3, 32, 48)
NONE = torch.zeros(4, 0)


@pytest.fixture(params=UPSAMPLING)
def model(request):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return CompactGAN(CompactSettings(latent=64, width=16, upsampling=request.param), SHAPE)


def drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def test_blocks_lie_at_the_coarsest_resolutions(model):
    kinds = [type(block) for block in model.generator.blocks]
    assert kinds == [Residual, Residual, nn.Identity]
    assert [type(block) for block in model.discriminator.blocks] == kinds[::-1]
    none = CompactGAN(CompactSettings(latent=8, width=4, blocks=0), SHAPE)
    assert not [layer for layer in none.modules() if isinstance(layer, Branch)]


def test_doubling_repeats_pixels_and_convolves():
    torch.manual_seed(0)
    layer = CompactDoubling(5, 7).double()
    x = drawn(2, 5, 4, 6).double()
    repeated = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    expected = F.conv2d(repeated, layer.weight, layer.bias, padding=1)
    torch.testing.assert_close(layer(x), expected)


def test_a_learnt_doubling_can_be_any_filtered_one():
    torch.manual_seed(0)
    filtered, learnt = CompactDoubling(5, 7).double(), LearntDoubling(5, 7).double()
    impulses = torch.zeros(5, 5, 5, 5).double()
    impulses[range(5), range(5), 2, 2] = 1.0
    x = drawn(2, 5, 4, 6).double()
    with torch.no_grad():
        learnt.weight.copy_(filtered(impulses)[:, :, 3:7, 3:7])
        torch.testing.assert_close(learnt(x), filtered(x))


@pytest.mark.parametrize("upsampling", UPSAMPLING)
def test_doubling_keeps_variances(upsampling):
    torch.manual_seed(0)
    layer = UPSAMPLING[upsampling](64, 64)
    with torch.no_grad():
        assert layer(drawn(8, 64, 16, 16)).var() == pytest.approx(2.0, rel=0.6)


def test_finer_resolutions_are_gated_by_the_coarsest(model):
    assert len(model.generator.gates) == 1  # 4x6, 8x12, and 16x24 with one
    with torch.no_grad():
        coarsest = drawn(8, model.generator.coarsest[0] * 4 * 6)
        gate = model.generator.gates[0]
        assert torch.equal(gate(coarsest), torch.ones(8, 16, 1, 1)), "at first they change nothing"
        nn.init.normal_(gate.second.weight, 0.0, gate.second.spread)
        opened = gate(coarsest)
        assert 0 < opened.min() < 0.9 < 1.1 < opened.max() < 2
        latents = drawn(2, 64)
        (before,) = model.generator(latents)
        model.generator.gates[0].second.bias.fill_(-20.0)  # shut
        (after,) = model.generator(latents)
    assert (before - after).abs().max() > 0.1
    assert after.std() < 0.01, "nothing comes through"
    assert not [layer for layer in model.discriminator.modules() if isinstance(layer, Gate)]


def test_images_driven_out_of_range_still_learn(model):
    generator = model.generator
    with torch.no_grad():
        generator.to_rgb.bias.fill_(30.0)
        nn.init.normal_(generator.gates[0].second.weight)
    (shown,) = generator(drawn(4, 64))
    assert (shown == 1).all()
    shown.sum().backward()  # downhill is back into the range
    assert all(p.grad.abs().max() > 0 for p in generator.parameters())


def test_nothing_is_normalised_over_the_batch(model):
    with torch.no_grad():
        latents = drawn(4, 64)
        (together,), (alone,) = model.generator(latents), model.generator(latents[:1])
        torch.testing.assert_close(together[:1], alone, rtol=1e-3, atol=1e-4)
        pyramid = model.view(together)
        scores = model.discriminate(pyramid, NONE)
        single = model.discriminate([pyramid[-1][:1]], NONE[:1])
        torch.testing.assert_close(scores[:1], single, rtol=1e-3, atol=1e-4)


def test_both_kinds_are_scored_in_one_pass_as_in_two(model):
    real, fake = [drawn(4, *SHAPE)], [drawn(4, *SHAPE).flip(0)]
    with torch.no_grad():
        together = model.discriminate_both(real, fake, NONE)
        apart = model.discriminate(real, NONE), model.discriminate(fake, NONE)
    for one, other in zip(together, apart, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_signals_neither_fade_nor_explode_on_their_way(model):
    with torch.no_grad():
        (image,) = model.generator(drawn(64, 64))
        assert 0.2 < image.std() < 0.9
        scores = model.discriminate([drawn(64, *SHAPE)], torch.zeros(64, 0))
        assert 0.1 < scores.std() < 3


def test_every_weight_moves_by_the_same_share_of_its_size(model):
    rates = model.lr_multipliers()
    for player in (model.generator, model.discriminator):
        adam = torch.optim.Adam(parameter_groups(model, player))
        set_lr(adam, 0.02)
        weights = {p: rates[name] for name, p in model.named_parameters() if name in rates}
        weights = {p: weights[p] for p in player.parameters() if p in weights}
        before = [weight.detach().clone() for weight in weights]
        for parameter in player.parameters():
            parameter.grad = torch.ones_like(parameter)
        adam.step()
        for old, (new, size) in zip(before, weights.items(), strict=True):
            moved = (new.detach() - old).abs().mean()
            assert moved.item() == pytest.approx(0.02 * size, rel=1e-3)
            assert not old.any() or old.std().item() == pytest.approx(size, rel=0.1)


def test_every_weight_has_a_rate(model):
    weights = {name for name, p in model.named_parameters() if p.ndim > 1}
    assert set(model.lr_multipliers()) == weights
