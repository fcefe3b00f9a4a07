import pytest
import torch

from ganvas.models.layers import smaller
from ganvas.models.projected import STRIDES, WIDTH, ProjectedDiscriminator, as_colours

WIDE = (3, 64, 96)


def random_images(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def projected(shape=WIDE, classes=0):
    torch.manual_seed(0)
    return ProjectedDiscriminator(shape[1:], classes)


@pytest.mark.parametrize("shape", [(3, 64, 64), (1, 32, 32), (4, 16, 40), (3, 128, 64)])
def test_every_head_gives_logits_for_every_place(shape):
    network, images = projected(shape), random_images(3, *shape)
    features = network.look(images).mixed
    logits = network(features, torch.zeros(3, 0))
    assert len(features) == len(logits) == len(STRIDES)
    for feature, stride, scores in zip(features, STRIDES.values(), logits, strict=True):
        assert feature.shape == (3, WIDTH, -(-shape[1] // stride), -(-shape[2] // stride))
        assert scores.shape[0] == 3
        assert scores.dtype == torch.float32


def test_no_logit_depends_on_other_images():
    network, images = projected(), random_images(3, *WIDE)
    together = network(network.look(images).mixed, torch.zeros(3, 0))
    alone = network(network.look(images[:1]).mixed, torch.zeros(1, 0))
    for one, other in zip(alone, together, strict=True):
        torch.testing.assert_close(one[0], other[0], rtol=1e-3, atol=1e-4)


def test_only_heads_are_trained_and_images_get_gradients():
    network, images = projected(), random_images(2, *WIDE).requires_grad_()
    sum(
        scores.sum() for scores in network(network.look(images).mixed, torch.zeros(2, 0))
    ).backward()
    assert images.grad.abs().sum() > 0
    trained = {name for name, p in network.named_parameters() if p.requires_grad}
    assert trained == {name for name in network.state_dict() if name.startswith("heads.")}
    assert all(p.grad is not None for p in network.heads.parameters())


def test_the_frozen_network_is_in_no_checkpoint():
    tensors = projected().state_dict()
    assert sum(tensor.numel() for tensor in tensors.values()) < 1_000_000  # it has 3.4 million
    assert {name.split(".")[0] for name in tensors} == {
        "means", "scales", "across", "down", "heads",
    }  # fmt: skip


def test_standardised_activations_have_mean_0_and_deviation_1():
    network, images = ProjectedDiscriminator((64, 96), halvings=1), random_images(70, *WIDE)
    network.standardise(images)
    for shown in (images, smaller(images)):
        for x in network.look(shown).activations.values():
            assert x.mean((0, 2, 3)).abs().max() < 1e-3
            assert (x.std((0, 2, 3)) - 1).abs().max() < 0.1


def test_mixing_keeps_the_size_of_features():
    network, images = projected(), random_images(64, 3, 64, 64)
    network.standardise(images)
    for feature in network.look(images).mixed:
        assert 0.5 < feature.square().mean().sqrt() < 2


def test_smaller_images_are_enlarged():
    network, images = projected((3, 64, 64)), random_images(2, 3, 16, 16)
    assert [x.shape[2] for x in network.look(images).mixed] == [16, 8, 4, 2]


def test_halved_images_are_seen_as_they_are():
    network = ProjectedDiscriminator((64, 96), halvings=2)
    for sides, expected in [((64, 96), 16), ((32, 48), 8), ((16, 24), 4), ((8, 12), 16)]:
        seen = network.look(random_images(2, 3, *sides))
        assert seen.mixed[0].shape[2] == expected
        assert len(network(seen.mixed, torch.zeros(2, 0))) == len(STRIDES)


def test_labels_change_the_logits():
    network, images = projected(classes=2), random_images(2, *WIDE)
    features, labels = network.look(images).mixed, torch.eye(2)
    for right, wrong in zip(
        network(features, labels), network(features, labels[[1, 0]]), strict=True
    ):
        assert not torch.allclose(right, wrong)


def test_alpha_shows_on_white_or_on_black():
    transparent = torch.full((2, 4, 2, 2), -1.0)
    assert (
        as_colours(transparent).tolist()
        == torch.tensor([1.0, -1.0])[:, None, None, None].expand(2, 3, 2, 2).tolist()
    )
    painted = torch.cat([torch.ones(2, 3, 2, 2), torch.ones(2, 1, 2, 2)], 1)
    assert (as_colours(painted) == 1).all()


def test_a_micro_batch_is_seen_as_in_the_whole_batch():
    images = random_images(4, 4, 8, 8)
    whole, second = as_colours(images), as_colours(images[1:], first=1)
    torch.testing.assert_close(whole[1:], second)


def test_colours_are_composited_as_straight_alpha_would_be():
    straight = (random_images(2, 4, 8, 8) + 1) / 2
    colours, alpha = straight[:, :3], straight[:, 3:]
    premultiplied = torch.cat([colours * alpha, alpha], 1) * 2 - 1
    expected = colours * alpha + torch.tensor([1.0, 0.0])[:, None, None, None] * (1 - alpha)
    torch.testing.assert_close(as_colours(premultiplied), expected * 2 - 1)
