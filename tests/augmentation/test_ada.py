"""Adaptive augmentation: the share follows the discriminator, and what is varied does not leak."""

import numpy as np
import pytest
import torch

from ganvas.augmentation.ada import EVERY, HIGHEST, IMAGES, adapt, r_t
from ganvas.augmentation.diffaugment import partly
from ganvas.config import Request, resolve
from ganvas.config.resolve import FEW
from ganvas.data.loader import Loader
from ganvas.losses import ADVERSARIAL_LOSSES
from ganvas.models.sampling import sample_batches
from ganvas.runtime.rng import Stream, seeded_generator
from ganvas.training import Goal, draw, train

CPU = torch.device("cpu")
SHAPE = (1, 16, 16)


def test_the_share_rises_while_the_discriminator_is_too_sure_and_stays_within_bounds():
    assert adapt(0.1, 0.9, 0.6, IMAGES // 10) == pytest.approx(0.2)
    assert adapt(0.3, 0.2, 0.6, IMAGES // 10) == pytest.approx(0.2)
    assert adapt(0.79, 1.0, 0.6, IMAGES) == HIGHEST
    assert adapt(0.01, 0.0, 0.6, IMAGES) == 0


def test_r_t_is_the_mean_sign_of_real_scores():
    real, fake = torch.tensor([1.0, 2.0, -1.0, 0.2]), torch.tensor([3.0, 1.0, -2.0, 0.0])
    assert r_t(real, fake, 0.0) == 0.5
    assert r_t(real, fake, 0.5) == 0.0
    assert r_t(real, fake, None) == 0.5
    assert r_t(real + 100, fake + 100, None) == 0.5


@pytest.mark.parametrize("micro_batches", [1, 2])
def test_both_moves_are_shown_the_same_share(micro_batches, monkeypatch, small, begin, blobs):
    shares = []

    def noted(augmentation, share, pyramid, stream):
        shares.append(share)
        return partly(augmentation, share, pyramid, stream)

    monkeypatch.setattr(draw, "partly", noted)
    varied = {"augment": "shift+colour", "augment_share": 0.3, "augment_target": 0.6}
    game, state = begin("compact", small("compact", SHAPE), **varied)
    state.accumulate = micro_batches
    game.step(state, Loader(blobs(SHAPE), 8, CPU), 0.0)
    assert set(shares) == {0.3}
    assert len(shares) == {1: 4, 2: 16}[micro_batches], "drawn again for the second move"
    assert state.live["augment_share"] != 0.3, "from the next step on"


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_the_undecided_score_is_where_the_discriminator_cannot_tell(name):
    loss = ADVERSARIAL_LOSSES[name].loss
    if loss.undecided is None:  # only differences count: a common shift changes nothing
        real, fake = torch.randn(2, 8)
        moved = loss.discriminator(real + 5, fake + 5, 1.0)
        torch.testing.assert_close(moved, loss.discriminator(real, fake, 1.0))
        return
    score = torch.full((8,), loss.undecided, requires_grad=True)
    loss.discriminator(score, score, 1.0).backward()
    assert score.grad.abs().max() < 1e-6


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (FEW - 1, ("shift", 1.0, 0.0)),
        (FEW, ("none", 1.0, 0.0)),
    ],
)
def test_the_number_of_images_decides(count, expected):
    chosen = resolve(Request("images", "dcgan"), SHAPE, count).game
    assert (chosen.augment, chosen.augment_share, chosen.augment_target) == expected


def said(count, **game):
    return resolve(Request("images", "dcgan", {"game": game}), SHAPE, count).game


def test_what_is_asked_for_is_not_decided():
    chosen = said(FEW, augment="colour")
    assert (chosen.augment, chosen.augment_share, chosen.augment_target) == ("colour", 1.0, 0.0)
    chosen = said(10, augment_target=0.5, augment_share=0.2)
    assert (chosen.augment_share, chosen.augment_target) == (0.2, 0.5)


def test_a_run_varies_more_of_images_that_are_known_by_heart(small, begin, blobs):
    rules = {"augment": "shift+colour", "augment_share": 0.0, "augment_target": 0.6}
    game, state = begin("dcgan", small("dcgan", SHAPE), lr_g=1e-9, **rules)
    loader = Loader(blobs(SHAPE, count=8), 8, CPU)
    events = list(train(game, state, loader, Goal(images=8 * 60), 0.05))
    measured = [event.scalars for event in events if "augment_share" in event.scalars]
    assert len(measured) == 60 // EVERY
    assert measured[-1]["r_t"] > 0.6
    assert state.live["augment_share"] == pytest.approx(measured[-1]["augment_share"])
    assert 0 < state.live["augment_share"] <= 60 * 8 / IMAGES + 1e-9


def test_the_share_is_resumed(small, begin):
    _, state = begin("dcgan", small("dcgan", SHAPE), augment_target=0.6, augment_share=0.0)
    state.live["augment_share"] = 0.37
    facts, tensors = state.metadata(), state.tensors()
    _, other = begin("dcgan", small("dcgan", SHAPE), augment_target=0.6, augment_share=0.0)
    other.restore({file: dict(found) for file, found in tensors.items()}, facts)
    assert other.live["augment_share"] == 0.37


class Spot:
    """The same spot in the middle of every image, a little brighter or darker."""

    shape, source, key, refused = SHAPE, "spot", "spot", ()

    def __len__(self):
        return 64

    def batch(self, indices):
        images = np.zeros((len(indices), 16, 16, 1), np.uint8)
        images[:, 6:10, 6:10, 0] = (200 + np.asarray(indices) % 40)[:, None, None]
        return images

    def labels(self, indices):
        return np.zeros((len(indices), 0), np.float32)


def offsets(images):
    """How far each image's light lies from the middle, in pixels."""
    light = (images[:, 0] + 1).clamp(min=0)
    light = light / light.sum((1, 2), keepdim=True)
    places = torch.arange(16) - 7.5
    down, right = (light.sum(2) * places).sum(1), (light.sum(1) * places).sum(1)
    return torch.maximum(down.abs(), right.abs())


@pytest.mark.parametrize("share", [0.0, HIGHEST, 1.0])  # 1: of few images all are varied
def test_variations_do_not_leak_into_what_is_generated(share, small, begin):
    """Shifted by up to three pixels before they are scored, spots are generated where they are."""
    rules = {"augment": "shift", "augment_share": share, "augment_target": 0.0}
    game, state = begin("fc", small("fc", SHAPE), **rules)
    list(train(game, state, Loader(Spot(), 16, CPU), Goal(16 * 400), 0.05))
    drawn = state.average.draw(torch.zeros(64, 0), Stream(seeded_generator(CPU, 5)))
    generated_images = sample_batches(state.average, drawn)
    assert generated_images[:, :, 7:9, 7:9].mean() > 0.2, "there is a spot at all"
    assert offsets(generated_images).quantile(0.9) < 0.75
