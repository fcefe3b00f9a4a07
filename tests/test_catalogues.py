"""The promises that every registered model and loss keeps."""

import json

import pytest
import torch
from pydantic import TypeAdapter
from torch.nn.utils import parametrize

from ganvas.augmentation.diffaugment import AUGMENTATIONS
from ganvas.config.resolve import GAMES
from ganvas.data.loader import Loader
from ganvas.losses import ADVERSARIAL_LOSSES
from ganvas.models import MODELS, UnsuitableOptionError, UnsuitableSizeError, build, generate
from ganvas.registry import UnknownNameError, choose
from ganvas.runtime.rng import Stream
from ganvas.training import Goal, train

CPU = torch.device("cpu")
SHAPES = [(1, 16, 16), (3, 24, 16), (4, 32, 48)]
CONVOLUTIONAL = ["dcgan", "compact", "progressive", "msg", "stylegan"]
ADVERSARIAL = [name for name, entry in MODELS.items() if entry.trainer == "adversarial"]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", MODELS)
def test_images_have_the_promised_shape_and_range(name, shape, small):
    generator = small(name, shape).generator
    generated_images = generate(generator, torch.randn(5, generator.latent))
    assert generated_images.shape == (5, *shape)
    assert generated_images.dtype == torch.float32
    assert torch.isfinite(generated_images).all()
    assert generated_images.abs().max() <= 1


@pytest.mark.parametrize("name", MODELS)
def test_different_latents_give_different_images(name, small):
    generator = small(name).generator
    first, second = generate(generator, 3 * torch.randn(2, generator.latent))
    assert not torch.equal(first, second)


@pytest.mark.pairwise
@pytest.mark.parametrize("bf16", [False, True], ids=["fp32", "bf16"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_learns(name, shape, bf16, small, begin, blobs):
    model = small(name, shape)
    before = {key: value.clone() for key, value in model.named_parameters()}
    game, state = begin(name, model, bf16)
    list(train(game, state, Loader(blobs(shape), 8, CPU), Goal(images=8 * 12), 0.05))
    assert [k for k, v in model.named_parameters() if torch.equal(v, before[k])] == []


@pytest.mark.pairwise
@pytest.mark.parametrize("bf16", [False, True], ids=["fp32", "bf16"])
@pytest.mark.parametrize("loss", ADVERSARIAL_LOSSES)
@pytest.mark.parametrize("name", ADVERSARIAL)
def test_every_loss_trains_every_gan(name, loss, bf16, small, begin, blobs):
    model = small(name)
    game, state = begin(name, model, bf16, loss=loss)
    loader = Loader(blobs((1, 16, 16)), 8, CPU)
    events = list(train(game, state, loader, Goal(images=8 * 8), 0.05))
    numbers = [number for event in events for number in event.scalars.values()]
    assert events[-1].images >= 8 * 8
    assert torch.isfinite(torch.tensor(numbers)).all()
    assert all(torch.isfinite(p).all() for p in model.parameters())


@pytest.mark.pairwise
@pytest.mark.parametrize("bf16", [False, True], ids=["fp32", "bf16"])
@pytest.mark.parametrize("augment", AUGMENTATIONS)
@pytest.mark.parametrize("name", ADVERSARIAL)
def test_every_gan_trains_on_varied_images_with_a_penalty(name, augment, bf16, small, begin, blobs):
    model = small(name, (4, 16, 24))
    game, state = begin(name, model, bf16, augment=augment, r1=0.1, penalty_every=2)
    loader = Loader(blobs((4, 16, 24)), 8, CPU)
    events = list(train(game, state, loader, Goal(images=8 * 8), 0.05))
    assert [("r1" in e.scalars) for e in events] == [i % 2 == 0 for i in range(len(events))]
    numbers = [number for event in events for number in event.scalars.values()]
    assert torch.isfinite(torch.tensor(numbers)).all()
    assert all(torch.isfinite(p).all() for p in model.parameters())


@pytest.mark.parametrize("name", MODELS)
def test_the_average_starts_as_the_generator_and_follows_it(name, small, begin, blobs):
    model = small(name)
    game, state = begin(name, model)
    drawn = model.generator.draw(torch.zeros(3, 0), Stream(torch.Generator().manual_seed(0)))
    assert torch.equal(generate(state.average, drawn), generate(model.generator.eval(), drawn))
    model.train()
    list(train(game, state, Loader(blobs((1, 16, 16)), 8, CPU), Goal(images=80), 0.5))
    behind = [
        not torch.equal(averaged, current)
        for averaged, current in zip(
            state.average.parameters(), model.generator.parameters(), strict=True
        )
    ]
    assert all(behind)


@pytest.mark.parametrize("name", MODELS)
def test_settings_describe_themselves(name):
    entry = MODELS[name]
    schema = TypeAdapter(entry.settings).json_schema()
    assert json.dumps(schema)
    for described in (schema, TypeAdapter(GAMES[entry.trainer]).json_schema()):
        for key, field in described["properties"].items():
            assert field.get("description"), f"{key} has no help"
            assert "default" in field, f"{key} has no default, nor a word on what decides it"


@pytest.mark.parametrize("name", [n for n in MODELS if n != "fc"])
@pytest.mark.parametrize(
    ("size", "nearest"), [((20, 20), "16x16"), ((8, 8), "16x16"), ((1032, 64), "1024x64")]
)
def test_unsuitable_sizes_are_answered_with_a_suitable_one(name, size, nearest):
    if name in ("dcgan", "vae"):
        nearest = nearest.replace("1024", "256")
    with pytest.raises(UnsuitableSizeError, match=f"try --size {nearest}"):
        build(name, MODELS[name].settings(), (3, *size))


@pytest.mark.parametrize("name", [n for n in MODELS if n != "fc"])
@pytest.mark.parametrize("side", range(16, 257, 24))
def test_convolutional_models_take_every_multiple_of_eight(name, side, small):
    model = small(name, (1, side, 272 - side))
    with torch.no_grad():
        generated_images = generate(model.generator, torch.randn(2, 8))
    assert generated_images.shape == (2, 1, side, 272 - side)


def test_a_wrong_name_is_answered_with_the_nearest():
    with pytest.raises(
        UnknownNameError, match=r"did you mean 'dcgan'\? There are: fc, dcgan, compact"
    ):
        choose("model", MODELS, "dcgna")


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_a_spectrally_normalised_discriminator_stretches_nothing(name, begin, blobs):
    shape = (1, 16, 16)
    settings = MODELS[name].settings(latent=8, width=4, spectral_norm=True)
    model = build(name, settings, shape)
    game, state = begin(name, model, r1=0.1, penalty_every=2)
    list(train(game, state, Loader(blobs(shape), 8, CPU), Goal(images=8 * 80), 0.05))
    weights = {n for n, p in model.discriminator.named_parameters() if p.ndim > 1}
    assert weights
    for key in weights:
        path = key.removesuffix(".parametrizations.weight.original")
        layer = model.discriminator.get_submodule(path)
        assert parametrize.is_parametrized(layer, "weight"), f"{path} is as it was"
        used = layer.weight.detach() * getattr(layer, "scale", 1.0)
        gain = float(torch.linalg.svdvals(used.flatten(1))[0])
        assert gain == pytest.approx(1, abs=0.15), path
    assert {n for n in model.lr_multipliers() if n.startswith("discriminator")} <= {
        n for n, _ in model.named_parameters()
    }


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_who_says_so_scores_each_image_alone(name, small):
    model = small(name)
    real, fake, labels = *torch.randn(2, 8, *SHAPES[0]), torch.zeros(8, 0)
    with torch.no_grad():
        apart = [model.discriminate(model.view(images), labels) for images in (real, fake)]
        both = model.discriminate_both(model.view(real), model.view(fake), labels)
        parts = [model.discriminate(model.view(part), labels[:4]) for part in real.split(4)]
    for one, other in zip(both, apart, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    if model.scores_alone:
        torch.testing.assert_close(torch.cat(parts), apart[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_frozen_layers_of_the_discriminator_stay_as_they_are(name, small, begin, blobs):
    model = small(name)
    layers = model.layers_from_input()
    before = {key: value.clone() for key, value in model.named_parameters()}
    game, state = begin(name, model, freeze=1, r1=0.1)
    list(train(game, state, Loader(blobs((1, 16, 16)), 8, CPU), Goal(images=8 * 12), 0.05))
    kept = {id(p) for layer in layers[0] for p in layer.parameters()}
    assert kept
    for key, parameter in model.named_parameters():
        assert torch.equal(parameter, before[key]) == (id(parameter) in kept), key


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_more_frozen_layers_than_there_are_is_refused(name, small, begin):
    model = small(name)
    count = len(model.layers_from_input())
    assert count >= 2
    begin(name, model, freeze=count)
    with pytest.raises(UnsuitableOptionError, match=f"has {count} layers"):
        begin(name, small(name), freeze=count + 1)
