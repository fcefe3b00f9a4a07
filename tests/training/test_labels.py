"""Class folders: a GAN learns to generate what it is asked for."""

import numpy as np
import pytest
import torch

from ganvas.data.loader import Loader
from ganvas.models import MODELS, UnsuitableOptionError, build
from ganvas.models.layers import Head
from ganvas.models.sampling import sample_batches
from ganvas.runtime.rng import Stream, seeded_generator
from ganvas.training import Goal, train
from ganvas.training.state import labels_by_turns

CPU = torch.device("cpu")
SHAPE = (1, 16, 16)
GANS = [name for name, entry in MODELS.items() if entry.trainer == "adversarial"]


class TwoShades:
    """Dark images of class 0, light ones of class 1, each a little different."""

    shape, source, key, refused = SHAPE, "shades", "shades", ()

    def __len__(self):
        return 64

    def batch(self, indices):
        numbers = np.asarray(indices)
        shades = np.where(numbers % 2, 200, 40) + numbers % 7 * 3
        return np.broadcast_to(shades[:, None, None, None], (len(numbers), 16, 16, 1)).astype(
            np.uint8
        )

    def labels(self, indices):
        return np.eye(2, dtype=np.float32)[np.asarray(indices) % 2]


def test_the_head_is_the_projection_of_the_paper():
    torch.manual_seed(0)
    head = Head(torch.nn.Linear, 6, 3)
    x, which = torch.randn(4, 6), [0, 2, 1, 0]
    class_vectors, biases = head.projection.weight[which], head.projection.bias[which]
    expected = head.score(x)[:, 0] + (class_vectors * x).sum(1) + biases
    torch.testing.assert_close(head(x, torch.eye(3)[which]), expected)


@pytest.mark.parametrize("name", GANS)
def test_both_players_see_the_label(name, small):
    model = small(name, SHAPE, classes=3).eval()
    numbers = Stream(seeded_generator(CPU, 0)).normal(1, 8).expand(3, -1)
    with torch.no_grad():
        first, second, third = model.generator(torch.cat([numbers, torch.eye(3)], 1))[-1]
        assert not torch.allclose(first, second)
        assert not torch.allclose(second, third)
        pyramid = model.view(torch.randn(1, *SHAPE).expand(4, -1, -1, -1))
        scores = model.discriminate(pyramid, torch.eye(3)[[0, 1, 2, 0]])
    assert scores[0] == pytest.approx(scores[3].item(), abs=1e-5)
    assert len(set(scores[:3].tolist())) == 3


@pytest.mark.parametrize(("name", "rate"), [("dcgan", 4e-3), ("compact", 4e-2), ("stylegan", 4e-3)])
def test_it_generates_what_it_is_asked_for(name, rate, small, begin):
    game, state = begin(name, small(name, SHAPE, classes=2), lr_g=rate, lr_d=rate)
    list(train(game, state, Loader(TwoShades(), 16, CPU), Goal(16 * 150), 0.05))
    shades = []
    for label in torch.eye(2):
        drawn = state.average.draw(label.expand(32, -1), Stream(seeded_generator(CPU, 9)))
        shades.append(sample_batches(state.average, drawn).mean().item())
    assert shades[0] < -0.2
    assert shades[1] > 0.2


@pytest.mark.parametrize("name", GANS)
def test_a_conditional_run_resumes_exactly(name, small, begin, blobs):
    images = blobs(SHAPE, count=20, classes=3)

    def steps(state, game, count):
        list(train(game, state, Loader(images, 8, CPU), Goal(count), 0.05))

    game, whole = begin(name, small(name, SHAPE, classes=3))
    half_goal, goal = Goal(64), Goal(128)
    for event in train(game, whole, Loader(images, 8, CPU), goal, 0.05):
        if event.images >= half_goal.images:
            saved = {k: {n: t.clone() for n, t in v.items()} for k, v in whole.tensors().items()}
            facts = whole.metadata()
            break
    steps(whole, game, 128)
    game, resumed = begin(name, small(name, SHAPE, classes=3))
    resumed.restore(saved, facts)
    steps(resumed, game, 128)
    for file, tensors in whole.tensors().items():
        for key, tensor in tensors.items():
            assert torch.equal(tensor, resumed.tensors()[file][key])


def test_labels_go_by_turns(small):
    generator = small("dcgan", SHAPE, classes=3).generator
    assert labels_by_turns(generator, 5).argmax(1).tolist() == [0, 1, 2, 0, 1]
    assert labels_by_turns(small("dcgan").generator, 5).shape == (5, 0)


def test_an_autoencoder_says_that_it_takes_no_labels():
    with pytest.raises(UnsuitableOptionError, match="--labels"):
        build("vae", MODELS["vae"].settings(), SHAPE, classes=2)
