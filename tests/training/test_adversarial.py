"""The step against the algorithm written out by hand, and each switch by its effect on the step."""

from copy import deepcopy
from math import log

import pytest
import torch
from torch.nn import functional as F

from ganvas.config import Request, resolve
from ganvas.config.resolve import usual_learning_rate
from ganvas.data import positions
from ganvas.data.loader import Batch, Loader
from ganvas.imaging.tensors import to_floats
from ganvas.runtime.rng import Stream, seeded_generator
from ganvas.training.optim import NonFiniteError
from ganvas.training.state import Purpose

CPU = torch.device("cpu")
SHAPE = (1, 16, 16)
NONE = torch.zeros(8, 0)  # labels of a batch without classes


@pytest.fixture
def play(small, begin, blobs):
    """One step of a small dcgan under the given rules: (state, model before, scalars)."""

    def make(fraction=0.0, **rules):
        model = small("dcgan", SHAPE)
        game, state = begin("dcgan", model, **rules)
        before = deepcopy(model)
        scalars = game.step(state, Loader(blobs(SHAPE), 8, CPU), fraction)
        return state, before, scalars

    return make


def moved(before, after):
    pairs = zip(before.parameters(), after.parameters(), strict=True)
    return max((a - b).abs().max().item() for a, b in pairs)


@pytest.fixture
def first_batch(blobs):
    images = blobs(SHAPE)
    return to_floats(torch.from_numpy(images.batch(positions(0, 0, 8, len(images)))))


def first_latents(model):
    return model.generator.draw(NONE, Stream(seeded_generator(CPU, 0, 0, 8, Purpose.FAKES)))


def test_a_step_is_the_algorithm_of_the_paper(play, first_batch):
    state, model, scalars = play()
    real = first_batch
    adam = {
        name: torch.optim.Adam(player.parameters(), lr=4e-3, betas=(0.5, 0.999))
        for name, player in (("g", model.generator), ("d", model.discriminator))
    }
    fake = model.generator(first_latents(model))[-1]
    ones, zeros = torch.ones(8), torch.zeros(8)
    loss_d = F.binary_cross_entropy(model.discriminator(real, NONE).sigmoid(), ones)
    loss_d = loss_d + F.binary_cross_entropy(
        model.discriminator(fake.detach(), NONE).sigmoid(), zeros
    )
    loss_d.backward()
    adam["d"].step()
    loss_g = F.binary_cross_entropy(model.discriminator(fake, NONE).sigmoid(), ones)
    gradients = torch.autograd.grad(loss_g, [*model.generator.parameters()])
    for parameter, gradient in zip(model.generator.parameters(), gradients, strict=True):
        parameter.grad = gradient
    adam["g"].step()

    assert float(scalars["loss_d"]) == pytest.approx(loss_d.item(), rel=1e-5)
    assert float(scalars["loss_g"]) == pytest.approx(loss_g.item(), rel=1e-5)
    for ours, theirs in zip(state.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=2e-5)


def test_an_untrained_discriminator_is_at_chance(play):
    _, _, scalars = play()
    assert float(scalars["loss_d"]) == pytest.approx(2 * log(2), abs=0.3)


def test_each_player_has_its_own_learning_rate(play):
    # Adam's first step moves every weight by its learning rate.
    state, before, _ = play(lr_g=3e-4, lr_d=2e-3)
    assert moved(before.generator, state.model.generator) == pytest.approx(3e-4, rel=0.01)
    assert moved(before.discriminator, state.model.discriminator) == pytest.approx(2e-3, rel=0.01)


def game(shape, count, **said):
    """The settings of a game on so many images, of a model whose recipe says nothing of it."""
    return resolve(Request("images", "dcgan", {"game": said}), shape, count).game


@pytest.mark.parametrize(
    ("shape", "rate"), [((1, 32, 32), 2e-3), ((3, 64, 64), 1e-3), ((3, 64, 256), 5e-4)]
)
def test_the_usual_rate_is_lower_for_larger_images(shape, rate):
    assert usual_learning_rate(shape) == pytest.approx(rate)
    other = game(shape, 1000, lr_d=1e-5)
    assert (other.lr_g, other.lr_d) == (pytest.approx(rate), 1e-5)


def test_few_images_are_varied_and_the_gradient_is_penalised_unless_told_otherwise():
    few, many = (game((3, 64, 64), count) for count in (500, 50_000))
    assert (few.augment, many.augment) == ("shift", "none")
    assert (few.r1, many.r1) == (pytest.approx(0.1), 0.0)
    told = game((3, 64, 64), 500, augment="none", r1=0.0)
    assert (told.augment, told.r1) == ("none", 0.0)


@pytest.mark.parametrize(("shape", "weight"), [((1, 32, 32), 0.025), ((3, 64, 64), 0.1)])
def test_the_usual_penalty_grows_with_the_number_of_pixels(shape, weight):
    assert game(shape, 1000).r1 == pytest.approx(weight)


def test_learning_rates_fall_to_nothing_after_decay_from(play):
    state, before, _ = play(fraction=0.75, decay_from=0.5, lr_g=1e-3, lr_d=1e-3)
    assert moved(before.generator, state.model.generator) == pytest.approx(5e-4, rel=0.01)


def test_the_discriminator_rests_while_its_loss_is_below_the_threshold(play):
    state, before, scalars = play(skip_d_below=10.0)
    assert float(scalars["skipped"]) == 1
    assert moved(before.discriminator, state.model.discriminator) == 0
    assert moved(before.generator, state.model.generator) > 0


def test_the_discriminator_moves_while_its_loss_is_above_the_threshold(play):
    state, before, scalars = play(skip_d_below=0.01)
    assert "skipped" not in scalars
    assert moved(before.discriminator, state.model.discriminator) > 0


def test_several_discriminator_moves_see_as_many_batches(play):
    state, _, _ = play(d_steps=3)
    assert state.images == 24
    assert {int(s["step"]) for s in state.optimizers["discriminator"].state.values()} == {3}
    assert {int(s["step"]) for s in state.optimizers["generator"].state.values()} == {1}


def test_label_smoothing_changes_the_discriminator_by_the_formula(play, first_batch):
    plain, before, exact = play()
    smooth, _, smoothed = play(label_smoothing=0.1)
    with torch.no_grad():
        score = float(before.discriminator(first_batch, NONE).mean())
    # Cross-entropy towards 0.9 is the one towards 1 plus a tenth of the score.
    assert float(smoothed["loss_d"] - exact["loss_d"]) == pytest.approx(0.1 * score, abs=1e-6)
    assert moved(plain.model.discriminator, smooth.model.discriminator) > 0


def test_label_smoothing_is_refused_where_it_means_nothing():
    with pytest.raises(ValueError, match="label-smoothing means nothing"):
        game((1, 16, 16), 10, loss="hinge", label_smoothing=0.1)


def test_instance_noise_reaches_the_step_and_fades_away(play):
    plain, _, _ = play()
    noisy, _, _ = play(instance_noise=0.5)
    faded, _, _ = play(instance_noise=0.5, fraction=1.0)
    assert moved(plain.model.discriminator, noisy.model.discriminator) > 0
    assert moved(plain.model.discriminator, faded.model.discriminator) == 0


def test_noise_on_what_the_pretrained_network_sees_is_gone_before_the_end(play):
    both = {"discriminator": "both", "match": 0.0}
    plain, _, _ = play(**both, heads_noise=0.0)
    for fraction, reached in ((0.0, True), (0.69, True), (0.7, False), (1.0, False)):
        noisy, _, _ = play(fraction, **both, heads_noise=0.5)
        assert (moved(plain.model.projected.heads, noisy.model.projected.heads) > 0) == reached


def test_augmentation_reaches_the_step(play):
    plain, _, _ = play()
    varied, _, _ = play(augment="shift+colour")
    assert moved(plain.model.discriminator, varied.model.discriminator) > 0


def test_the_penalty_is_the_gradient_at_the_real_images(play, first_batch):
    _, model, scalars = play(r1=0.5)
    real = first_batch.requires_grad_()
    (gradient,) = torch.autograd.grad(model.discriminator(real, NONE).sum(), real)
    expected = 0.5 * gradient.square().sum((1, 2, 3)).mean()
    assert float(scalars["r1"]) == pytest.approx(expected.item(), rel=1e-4)


def test_the_other_penalties_are_gradients_at_what_they_say(play, first_batch):
    _, model, scalars = play(r2=0.5)
    fake = model.generator(first_latents(model))[-1].detach()
    fake.requires_grad_()
    (gradient,) = torch.autograd.grad(model.discriminator(fake, NONE).sum(), fake)
    expected = 0.5 * gradient.square().sum((1, 2, 3)).mean()
    assert float(scalars["r2"]) == pytest.approx(expected.item(), rel=1e-3)
    _, _, scalars = play(loss="wasserstein", gp=10.0)
    assert 0 < float(scalars["gp"]) < 1.1, "the gradient of an untrained discriminator is near 0"
    assert "r1" not in scalars


def test_the_gradient_penalty_brings_the_gradient_towards_one(small, begin, blobs):
    ratios = []
    for seed in range(4):
        game, state = begin("dcgan", small("dcgan", SHAPE), loss="wasserstein", gp=10.0)
        state.seed = seed
        loader, seen = Loader(blobs(SHAPE), 8, CPU), []
        for _ in range(60):
            seen.append(game.step(state, loader, 0.0).get("gp"))
            state.step += 1
        found = [float(penalty) for penalty in seen if penalty is not None]
        assert len(found) == 15
        ratios.append(sum(found[-5:]) / 5 / found[0])
    assert sum(ratios) / len(ratios) < 0.5


def test_a_seldom_penalty_counts_in_proportion_more(small, begin, blobs):
    def gradient(**rules):
        game, state = begin("dcgan", small("dcgan", SHAPE), **rules)
        seen = game.step(state, Loader(blobs(SHAPE), 8, CPU), 0.0)
        assert "r1" in seen
        return [p.grad.clone() for p in state.model.discriminator.parameters()]

    often, seldom = gradient(r1=4.0, penalty_every=1), gradient(r1=1.0, penalty_every=4)
    assert all(torch.equal(a, b) for a, b in zip(often, seldom, strict=True))


def test_the_penalty_is_due_every_so_many_steps(small, begin, blobs):
    game, state = begin("dcgan", small("dcgan", SHAPE), r1=1.0, penalty_every=3)
    loader, due = Loader(blobs(SHAPE), 8, CPU), []
    for _ in range(7):
        due.append("r1" in game.step(state, loader, 0.0))
        state.step += 1
    assert due == [True, False, False, True, False, False, True]
    assert game.round == 3


def test_penalties_wane_by_the_same_ratio_in_equal_shares_of_the_run(small, begin, blobs):
    def gradient(fraction, **rules):
        game, state = begin("dcgan", small("dcgan", SHAPE), penalty_every=2, **rules)
        game.step(state, Loader(blobs(SHAPE), 8, CPU), fraction)
        return [p.grad.clone() for p in state.model.discriminator.parameters()]

    whole, half, end = 3.0, 0.3, 0.03
    for fraction, left in ((0.0, whole), (0.5, half), (1.0, end)):
        waning = gradient(fraction, r1=whole, r2=whole, penalty_end=end / whole)
        constant = gradient(fraction, r1=left, r2=left)
        for one, other in zip(waning, constant, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-8)


def test_the_generator_learns_through_a_frozen_discriminator(play):
    state, _, _ = play()
    assert all(p.requires_grad for p in state.model.discriminator.parameters())
    # What the discriminator holds are the gradients of its own move, not the generator's.
    before = [p.grad.clone() for p in state.model.discriminator.parameters()]
    fake = state.model.generator(torch.randn(4, state.model.generator.latent))
    state.model.discriminator.requires_grad_(False)
    state.model.discriminate(fake, torch.zeros(4, 0)).sum().backward()
    after = [p.grad for p in state.model.discriminator.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


class Broken:
    """Batches of images that are not numbers."""

    count, device = 8, CPU

    def load_parts(self, seed, first, count, parts):
        return [Batch(torch.full((8, *SHAPE), float("nan")), NONE)]


@pytest.mark.parametrize("name", ["dcgan", "fc", "vae"])
def test_nothing_of_a_step_that_is_not_finite_is_kept(name, small, begin):
    model = small(name, SHAPE)
    game, state = begin(name, model)
    before = deepcopy(state.tensors())
    with pytest.raises(NonFiniteError, match="is not a finite number"):
        game.step(state, Broken(), 0.0)
    for file, tensors in state.tensors().items():
        for key, tensor in tensors.items():
            assert torch.equal(tensor, before[file][key]), (file, key)
