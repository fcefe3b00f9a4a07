"""What a probe of samples finds: known sets of thumbnails, and images made for the purpose."""

import pytest
import torch

from ganvas.augmentation.diffaugment import BRIGHTEST, FARTHEST
from ganvas.data.subset import split
from ganvas.doctor.detectors.leaking import LEAKS
from ganvas.doctor.detectors.mode_collapse import MISSING, UNEVEN
from ganvas.doctor.probes import Probe, compare, of_data

SIDE = 32


def images(count, seed, kinds=4, shift=0.0, brighter=0.0):
    """Dark squares of some sizes near the middle, on a light ground, moved and lightened evenly."""
    random = torch.Generator().manual_seed(seed)
    x = torch.full((count, 1, SIDE, SIDE), 0.8)
    for number in range(count):
        half = 3 + 2 * (number % kinds)
        by = (torch.rand(2, generator=random) * 2 - 1) * shift * SIDE
        y0, x0 = (SIDE // 2 + by.round().int()).tolist()
        x[number, :, y0 - half : y0 + half, x0 - half : x0 + half] = -0.8
    noise = 0.05 * torch.randn(x.shape, generator=random)
    lighter = (torch.rand(count, 1, 1, 1, generator=random) * 2 - 1) * brighter
    return x + noise + lighter


def thumbs(shown):
    return torch.nn.functional.adaptive_avg_pool2d(shown, 8).flatten(1)


REAL = thumbs(images(256, 0))


def test_images_of_the_same_kind_are_healthy():
    found = compare(REAL, thumbs(images(256, 1)))
    assert abs(found["score"]) < 0.01
    assert found["spread"] == pytest.approx(1, abs=0.05)
    assert found["missing"] == 0
    assert found["uneven"] < UNEVEN
    assert found["coverage"] > 0.9
    assert found["nearest"] == pytest.approx(1, abs=0.15)
    assert found["duplicates"] < 0.05
    assert found["moved"] < LEAKS["moved"] / 4
    assert found["brightened"] < LEAKS["brightened"] / 4


def test_one_image_over_and_over():
    found = compare(REAL, thumbs(images(1, 1)).repeat(256, 1))
    assert found["spread"] < 0.01
    assert found["missing"] > 0.7
    assert found["coverage"] < 0.1


def test_samples_that_repeat_are_duplicates():
    some = thumbs(images(256, 1)[:128])
    found = compare(REAL, torch.cat([some, some[:64], thumbs(images(64, 2))]))
    assert found["duplicates"] == pytest.approx(0.5, abs=0.05), "64 of 256, and those they repeat"


def test_a_kind_that_is_never_generated_is_missing():
    without = [number for number in range(256) if number % 4 != 3]
    found = compare(REAL, thumbs(images(256, 1))[without])
    assert found["missing"] == pytest.approx(0.25, abs=0.02)


def test_kinds_that_are_generated_too_seldom_are_uneven():
    numbers = torch.arange(1024)
    seldom = numbers[(numbers % 4 != 3) | (numbers % 32 == 3)][:256]
    found = compare(REAL, thumbs(images(1024, 1))[seldom])
    assert found["missing"] < MISSING
    assert found["uneven"] > UNEVEN


def test_copies_are_near():
    found = compare(REAL, REAL + 1e-3 * torch.randn(256, 64, generator=torch.Generator()))
    assert found["nearest"] < 0.3


def test_variations_that_leak_are_seen_by_their_own_name():
    moved = compare(REAL, thumbs(images(256, 1, shift=FARTHEST)))
    assert moved["moved"] > LEAKS["moved"]
    lighter = compare(REAL, thumbs(images(256, 1, brighter=BRIGHTEST)))
    assert lighter["brightened"] > LEAKS["brightened"]
    assert lighter["moved"] < LEAKS["moved"]


def test_of_nothing_to_compare_with_nothing_is_said():
    assert compare(REAL[:10], REAL) == {}
    assert compare(torch.zeros(256, 64), REAL) == {}
    assert compare(REAL, REAL * torch.nan) == {}


class Known:
    """Images in the form in which they are learnt from."""

    def __init__(self, shown, channels=1):
        self.pixels = ((shown.clamp(-1, 1) + 1) * 127.5).byte().permute(0, 2, 3, 1).numpy()
        self.pixels = self.pixels.repeat(channels, 3)
        self.shape = (channels, *shown.shape[2:])
        self.usable, self.classes, self.mirror = len(shown), (), False
        self.key = self.source = "known"
        self.refused = ()

    def __len__(self):
        return self.usable

    def batch(self, indices):
        return self.pixels[indices]

    def labels(self, indices):
        return torch.zeros(len(indices), 0).numpy()


def test_a_discriminator_that_knows_its_images_by_heart(begin, small, monkeypatch):
    learnt, held_out = split(Known(images(400, 0)), 0)
    probe = Probe.of(learnt, held_out, 0)
    assert len(probe.held_out) == len(probe.learnt) == 20
    _, state = begin("dcgan", small("dcgan", (1, SIDE, SIDE)))
    known = {image.sum().item() for image in probe.learnt}

    def discriminate(pyramid, labels):
        hearts = torch.tensor([float(view.sum().item() in known) for view in pyramid[-1]])
        return 3 * hearts + torch.linspace(-1, 1, len(hearts))

    monkeypatch.setattr(state.model, "discriminate", discriminate)
    assert probe.measure(state)["gap"] > 3
    monkeypatch.setattr(
        state.model, "discriminate", lambda pyramid, labels: pyramid[-1].mean((1, 2, 3))
    )
    assert abs(probe.measure(state)["gap"]) < 0.7


def test_looking_changes_nothing(begin, small):
    probe = Probe.of(*split(Known(images(400, 0)), 0), 0)
    _, state = begin("dcgan", small("dcgan", (1, SIDE, SIDE)))
    before = {name: value.clone() for name, value in state.model.state_dict().items()}
    first = probe.measure(state)
    assert probe.measure(state) == first
    assert all(torch.equal(value, before[n]) for n, value in state.model.state_dict().items())


def test_of_large_images_only_a_few_are_probed():
    large = Known(torch.rand(120, 1, 8, 8).repeat_interleave(64, 2).repeat_interleave(64, 3), 3)
    learnt, _ = split(large, 0)
    assert len(Probe.of(learnt, learnt, 0).learnt) == 20, "of 512x512 in colour"


def test_bad_images_are_seen_before_anything_is_learnt():
    good = of_data(Known(images(300, 0)), 0)
    assert good == {"constant": 0.0, "repeated": 0.0}
    flat = torch.zeros(300, 1, SIDE, SIDE) + torch.rand(300, 1, 1, 1)
    assert of_data(Known(flat), 0)["constant"] == 1
    assert of_data(Known(images(1, 0).repeat(300, 1, 1, 1)), 0)["repeated"] == 1
    coloured = Known(images(300, 0), channels=3)
    assert of_data(coloured, 0)["coloured"] == 0
    coloured.pixels[::2, :, :, 0] = 255
    assert of_data(coloured, 0)["coloured"] == pytest.approx(0.5, abs=0.1)
