"""The network that judges by default, against plain VGG-19."""

import pytest
import torch
from torch.nn import functional as F

from ganvas.evaluation.features import DEFAULT, VGG19Averages, feature_network
from ganvas.models.projected import ProjectedDiscriminator
from ganvas.pretrained.vgg19 import VGG19


@pytest.mark.parametrize(("side", "shown"), [(32, 64), (64, 64), (80, 128), (160, 128)])
def test_images_are_shown_at_one_of_two_sizes(side, shown):
    images = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
    sized = F.interpolate(images, (shown, shown), mode="bicubic", antialias=True).clamp(-1, 1)
    expected = VGG19.load()((sized + 1) / 2, ["relu5_1"])["relu5_1"].mean((2, 3))
    found = VGG19Averages().features(images)  # in bf16 where that is fast
    cosine = torch.cosine_similarity(found - expected.mean(0), expected - expected.mean(0))
    assert float(cosine.min()) > 0.99
    torch.testing.assert_close(found.mean(), expected.mean(), rtol=0.02, atol=0)


def test_no_model_learns_through_the_judge():
    judge = feature_network(DEFAULT).name
    teachers = ProjectedDiscriminator((16, 16)).pretrained
    assert teachers
    assert not any(judge.startswith(name) for name in teachers)
