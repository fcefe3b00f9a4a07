"""Every resolution is drawn, seen, and learns at once."""

from typing import get_args

import pytest
import torch

from ganvas.models.msg import MSGGAN, Combine, MSGSettings
from ganvas.runtime.rng import Stream
from ganvas.training.callbacks.samples import preview

NONE = torch.zeros(4, 0)  # labels, where there are no classes
SHAPE = (3, 16, 24)  # three resolutions from 4x6
SIDES = [(4, 6), (8, 12), (16, 24)]


@pytest.fixture(params=get_args(Combine))
def model(request):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return MSGGAN(MSGSettings(latent=8, width=4, combine=request.param), SHAPE)


def drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def test_both_kinds_have_a_view_at_every_resolution(model):
    real, fake = model.view(drawn(4, *SHAPE)), model.fake(drawn(4, 8), Stream(torch.Generator()))
    for pyramid in (real, fake):
        assert [tuple(view.shape) for view in pyramid] == [(4, 3, *sides) for sides in SIDES]
    torch.testing.assert_close(real[0].mean(), real[2].mean())


def test_every_view_counts(model):
    pyramid = model.view(drawn(4, *SHAPE))
    before = model.discriminate(pyramid, NONE)
    for level in range(len(pyramid)):
        changed = [view + (i == level) for i, view in enumerate(pyramid)]
        assert not torch.allclose(model.discriminate(changed, NONE), before)


def test_gradients_reach_every_resolution_directly(model):
    pyramid = [
        view.detach().requires_grad_()
        for view in model.fake(drawn(4, 8), Stream(torch.Generator()))
    ]
    gradients = torch.autograd.grad(model.discriminate(pyramid, NONE).sum(), pyramid)
    assert all(float(gradient.abs().sum()) > 0 for gradient in gradients)


def test_a_sheet_shows_every_resolution(model):
    drawn_latents = drawn(12, 8)
    shown = preview(model.generator, drawn_latents)
    pyramid = model.generator(drawn_latents)
    rows = len(pyramid) - 1
    assert len(shown) == 10 * rows + 12
    for row, view in enumerate(pyramid[:-1]):
        block = SHAPE[1] // view.shape[2]
        there = shown[10 * row : 10 * row + 10, :, ::block, ::block]
        torch.testing.assert_close(there, view[:10].detach())
    torch.testing.assert_close(shown[10 * rows :], pyramid[-1].detach())


def test_people_see_the_finest_within_the_range(model):
    pyramid = model.generator(3 * drawn(4, 8))
    assert pyramid[-1].shape == (4, *SHAPE)
    assert all(view.abs().max().item() <= 1 for view in pyramid)
