"""Its players mirror each other, and every weight learns by its own size."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ganvas.models import UnsuitableOptionError, compact
from ganvas.models.compact import (
    UPSAMPLING,
    CompactGAN,
    CompactSettings,
    enlarged,
    halvings_at,
)
from ganvas.models.layers import smaller
from ganvas.models.spread import Branch, FilteredDoubling, Gate, LearntDoubling, Residual
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
    layer = FilteredDoubling(5, 7).double()
    x = drawn(2, 5, 4, 6).double()
    repeated = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    expected = F.conv2d(repeated, layer.weight, layer.bias, padding=1)
    torch.testing.assert_close(layer(x), expected)


def test_a_learnt_doubling_can_be_any_filtered_one():
    torch.manual_seed(0)
    filtered, learnt = FilteredDoubling(5, 7).double(), LearntDoubling(5, 7).double()
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


LARGER = (3, 64, 96)


def growing(doublings):
    torch.manual_seed(0)
    return CompactGAN(CompactSettings(latent=8, width=4, doublings=doublings), LARGER)


def shown(model):
    """An image that the discriminator sees now, a generated one and a real one."""
    (fake,) = model.fake(drawn(4, 8), None)
    (real,) = model.view(drawn(4, *LARGER))
    return fake, real


@pytest.mark.parametrize(
    ("doublings", "expected"), [(0, [0, 0, 0, 0]), (1, [1, 1, 0, 0]), (2, [2, 1, 0, 0])]
)
def test_the_last_third_of_a_run_is_at_full_size(doublings, expected):
    model = growing(doublings)
    for fraction, halvings in zip((0.3, 0.6, 0.67, 1.0), expected, strict=True):
        assert halvings_at(fraction, doublings) == halvings
        model.grow(fraction)
        for images in shown(model):
            assert images.shape == (4, 3, 64 >> halvings, 96 >> halvings)
            assert model.discriminate([images], NONE).shape == (4,)
        assert model.generator(drawn(4, 8))[0].shape == (4, *LARGER)


def test_each_size_is_timed_for_its_share_of_a_run():
    for doublings in (1, 2):
        small = [halvings_at(fraction, doublings) for fraction in growing(doublings).stages]
        shares = [small.count(halvings) / len(small) for halvings in range(doublings + 1)]
        assert shares[0] == pytest.approx(1 / 3)
        assert shares[1:] == pytest.approx([2 / 3 / doublings] * doublings)


@pytest.mark.parametrize("doublings", [1, 2])
def test_nothing_jumps_when_images_double_in_size(doublings, monkeypatch):
    monkeypatch.setattr(compact, "bound", lambda images: images)
    model = growing(doublings)
    with torch.no_grad():
        for fraction in (0.34, 0.67):
            (small,), real = model.fake(drawn(4, 8), None), drawn(4, *LARGER)
            logits = model.discriminate(model.view(real), NONE)
            model.grow(fraction)
            (fake,) = model.fake(drawn(4, 8), None)
            torch.testing.assert_close(fake, enlarged(small, fake.shape[2:]))
            torch.testing.assert_close(model.discriminate(model.view(real), NONE), logits)


def test_every_layer_learns_once_images_have_their_full_size():
    model = growing(2)
    model.grow(1.0)
    for _ in range(3):  # what is 0 at first gives no gradient to the layer before it
        (fake,) = model.fake(drawn(4, 8), None)
        model.discriminate([fake], NONE).sum().backward()
        with torch.no_grad():
            for p in model.parameters():
                p += 0.01 * p.grad if p.grad is not None else 0.0
    learning = {name for name, p in model.named_parameters() if p.grad is not None}
    assert learning == dict(model.named_parameters()).keys()
    assert all(float(p.grad.abs().sum()) > 0 for p in model.discriminator.parameters())


def test_weights_of_a_fixed_size_may_be_those_of_images_that_double():
    settings = CompactSettings(latent=8, width=4, doublings=2, spectral_norm=True)
    model = CompactGAN(settings, LARGER)
    for fraction in (0.0, 0.5, 1.0):
        model.grow(fraction)
        assert model.discriminate(model.view(drawn(4, *LARGER)), NONE).isfinite().all()


def test_images_of_few_pixels_double_less_often():
    small = CompactSettings(latent=8, width=4, doublings=2)
    with pytest.raises(UnsuitableOptionError, match=r"--doublings 2: .* can double .* 1 time"):
        CompactGAN(small, SHAPE)


def test_halving_keeps_what_a_pretrained_network_is_shown():
    (real,) = growing(1).view(images := drawn(4, *LARGER))
    assert torch.equal(real, smaller(images))
