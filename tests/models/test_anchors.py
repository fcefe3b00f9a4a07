import pytest
import torch

from ganvas.models.anchors import MATCHED, NEW, Anchors, classes_of, varied
from ganvas.models.description import DescriptionError, describe, generator
from ganvas.runtime.rng import Stream, seeded_generator

CPU = torch.device("cpu")
COUNT, SIZE = 6, 4


def stream(seed=0):
    return Stream(seeded_generator(CPU, seed))


def apart():
    """Codes far from each other, the first number telling which."""
    codes = torch.zeros(COUNT, SIZE)
    codes[:, 0] = 100 * torch.arange(COUNT)
    return codes


def which(latents):
    return (latents[:, 0] / (1 - NEW**2) ** 0.5 / 100).round().long()


@pytest.fixture
def small_generator(small):
    def make(classes=0):
        made = small("compact", (3, 16, 16), classes).generator
        kinds = (
            torch.tensor([2, 0, 2, 1, 0, 2]) if classes else torch.zeros(COUNT, dtype=torch.long)
        )
        made.anchors = Anchors(apart(), kinds)
        return made, kinds

    return make


def test_every_code_is_drawn_about_as_often(small_generator):
    made, _ = small_generator()
    drawn = made.draw(torch.zeros(6000, 0), stream())
    assert drawn.shape == (6000, made.latent)
    assert (torch.bincount(which(drawn), minlength=COUNT) - 1000).abs().max() < 120  # 4 deviations


def test_latents_lie_around_codes_as_far_as_is_said(small_generator):
    made, _ = small_generator()
    drawn = made.draw(torch.zeros(20_000, 0), stream())
    assert drawn[:, 1].std().item() == pytest.approx(NEW, rel=0.03)  # all codes have 0 there
    assert drawn[:, SIZE:].std().item() == pytest.approx(1, rel=0.03)


def test_latents_of_images_to_match_lie_nearer(small_generator):
    made, _ = small_generator()
    drawn = made.draw(torch.zeros(COUNT, 0), stream(), apart())
    away = drawn[:, :SIZE] - (1 - MATCHED**2) ** 0.5 * apart()
    assert 0 < away.std().item() < NEW
    assert away.abs().max() < 4 * MATCHED


@pytest.mark.parametrize("share", [MATCHED, NEW])
def test_normal_codes_with_noise_are_normal(share):
    codes, noise = torch.randn(2, 100_000, generator=torch.Generator().manual_seed(0))
    assert varied(codes, noise, share).std().item() == pytest.approx(1, rel=0.01)


def test_codes_are_those_of_the_class_asked_for(small_generator):
    made, kinds = small_generator(classes=3)
    labels = torch.eye(3)[torch.arange(300) % 3]
    drawn = made.draw(labels, stream())
    assert torch.equal(kinds[which(drawn)], classes_of(labels))
    assert {*which(drawn).tolist()} == {*range(COUNT)}


def test_a_class_without_codes_takes_any(small_generator):
    made, _ = small_generator(classes=4)
    drawn = made.draw(torch.eye(4)[[3] * 200], stream())
    assert {*which(drawn).tolist()} == {*range(COUNT)}


def test_a_row_does_not_depend_on_the_others_of_its_batch(small_generator):
    made, _ = small_generator()
    labels = torch.zeros(8, 0)
    whole = made.draw(labels, stream())
    part = Stream(seeded_generator(CPU, 0), 8, slice(3, 5))
    assert torch.equal(whole[3:5], made.draw(labels[3:5], part))


def test_without_anchors_latents_are_as_they_always_were(small):
    made = small("compact", (3, 16, 16)).generator
    expected = torch.randn(5, made.latent, generator=seeded_generator(CPU, 7))
    assert torch.equal(made.draw(torch.zeros(5, 0), stream(7)), expected)


def described(made):
    settings = {"latent": made.latent, "width": 4}
    return describe("compact", settings, made.shape, made.classes)


def test_a_generator_is_built_with_the_anchors_of_its_weights(small_generator):
    made, _ = small_generator()
    built = generator(described(made), made.state_dict())
    labels = torch.zeros(5, 0)
    assert torch.equal(built.draw(labels, stream()), made.draw(labels, stream()))


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("codes", torch.zeros(COUNT, 1000)),  # more numbers than there are latents
        ("codes", torch.zeros(0, SIZE)),
        ("codes", torch.full((COUNT, SIZE), torch.nan)),
        ("classes", torch.zeros(COUNT + 1, dtype=torch.long)),
        ("classes", torch.zeros(COUNT)),
        ("classes", None),
    ],
    ids=["long", "none", "not finite", "more classes", "classes that are floats", "no classes"],
)
def test_damaged_anchors_are_refused(name, tensor, small_generator):
    made, _ = small_generator()
    weights = {**made.state_dict(), f"anchors.{name}": tensor}
    with pytest.raises(DescriptionError, match="anchors"):
        generator(described(made), {n: t for n, t in weights.items() if t is not None})


@pytest.mark.parametrize(
    "classes", [torch.full((COUNT,), 9), torch.tensor([5, -3, 1, 0, 7, 2])], ids=["all", "mixed"]
)
def test_classes_that_make_no_sense_do_no_harm(classes, small_generator):
    made, _ = small_generator(classes=3)
    made.anchors.classes.copy_(classes)
    assert torch.isfinite(made.draw(torch.eye(3)[[0, 1, 2] * 9], stream())).all()
