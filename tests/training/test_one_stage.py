"""Both moves from one pass: the gradients are those of two, taken before anybody moves."""

from copy import deepcopy

import pytest
import torch

from ganvas.losses import ADVERSARIAL_LOSSES
from ganvas.losses.penalties import zero_centred
from ganvas.models import MODELS, AdversarialModel, UnsuitableOptionError
from ganvas.training import Goal, OneStageGame, train
from ganvas.training.feed import Feed
from ganvas.training.state import latents

CPU = torch.device("cpu")
SHAPE = (1, 16, 16)
RULES = {"plain": {}, "penalties": {"r1": 0.5, "r2": 0.5}, "portions": {}}


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("loss", ADVERSARIAL_LOSSES)
def test_the_gradients_are_those_of_two_passes(loss, rules, small, begin, blobs):
    model = small("compact", SHAPE)
    game, state = begin("compact", model, one_stage=True, loss=loss, **RULES[rules])
    assert isinstance(game, OneStageGame)
    before, feed = deepcopy(model), Feed(blobs(SHAPE), 8, CPU)
    if rules == "portions" and loss != "relativistic-hinge":  # which compares with a batch's mean
        state.accumulate = 2
    seen = game.step(state, feed, 0.0)

    state.images = 0
    batch = feed.next(state)
    drawn = latents(before.generator, batch.labels, state.stream(CPU))
    fake = before.generator(drawn)[-1]
    real = batch.pictures.requires_grad_()
    leaf = fake.detach().requires_grad_()
    scores = before.judge([real], batch.labels), before.judge([leaf], batch.labels)
    of = ADVERSARIAL_LOSSES[loss].loss
    loss_d = of.discriminator(*scores, 1.0)
    assert float(seen["loss_d"]) == pytest.approx(loss_d.item(), rel=1e-4)
    if rules == "penalties":
        slopes = zero_centred(scores[0], [real]), zero_centred(scores[1], [leaf])
        loss_d = loss_d + 4 * 0.5 * (slopes[0] + slopes[1])
    wanted = torch.autograd.grad(loss_d, [*before.discriminator.parameters()])
    for parameter, gradient in zip(model.discriminator.parameters(), wanted, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=2e-3, atol=2e-5)

    scores = before.judge([real], batch.labels), before.judge([fake], batch.labels)
    loss_g = of.generator(*scores)
    assert float(seen["loss_g"]) == pytest.approx(loss_g.item(), rel=1e-4)
    wanted = torch.autograd.grad(loss_g, [*before.generator.parameters()])
    for parameter, gradient in zip(model.generator.parameters(), wanted, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=2e-3, atol=2e-5)


def test_a_discriminator_that_rests_teaches_all_the_same(small, begin, blobs):
    model = small("compact", SHAPE)
    before = deepcopy(model)
    game, state = begin("compact", model, one_stage=True, skip_d_below=10.0)
    seen = game.step(state, Feed(blobs(SHAPE), 8, CPU), 0.0)
    assert seen["skipped"] == 1
    for name, parameter in before.named_parameters():
        stayed = torch.equal(parameter, model.get_parameter(name))
        assert stayed == name.startswith("discriminator"), name


def test_more_moves_of_the_discriminator_come_before(small, begin, blobs):
    game, state = begin("compact", small("compact", SHAPE), one_stage=True, d_steps=3)
    game.step(state, Feed(blobs(SHAPE), 8, CPU), 0.0)
    assert state.images == 24
    moves = {
        name: {int(s["step"]) for s in o.state.values()} for name, o in state.optimizers.items()
    }
    assert moves == {"generator": {1}, "discriminator": {3}}


@pytest.mark.parametrize("name", [n for n, e in MODELS.items() if e.game == "adversarial"])
def test_those_who_judge_by_the_batch_are_refused(name, small, begin, blobs):
    model = small(name, SHAPE)
    assert isinstance(model, AdversarialModel)
    real = torch.randn(8, *SHAPE)
    with torch.no_grad():
        together = model.judge(model.view(real), torch.zeros(8, 0))
        halves = [model.judge(model.view(half), torch.zeros(4, 0)) for half in real.chunk(2)]
    alone = torch.allclose(together, torch.cat(halves), atol=1e-4)
    assert alone or not model.judges_alone
    if not model.judges_alone:
        with pytest.raises(UnsuitableOptionError, match="leave it out"):
            begin(name, model, one_stage=True)
        return
    game, state = begin(name, model, one_stage=True, r1=0.1)
    events = list(train(game, state, Feed(blobs(SHAPE), 8, CPU), Goal(images=8 * 20), 0.05))
    assert len(events) == 20
    assert state.dropped == 0
