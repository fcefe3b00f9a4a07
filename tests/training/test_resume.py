"""Resuming is exact: 2N steps, or N, save, load, N, and every tensor is the same."""

import pytest
import torch

from ganvas import checkpoint
from ganvas.models import MODELS
from ganvas.training import Goal, train
from ganvas.training.feed import Feed
from ganvas.training.sampling import preview_latents
from ganvas.training.state import seeded

CPU = torch.device("cpu")
SHAPE, BATCH, STEPS = (1, 16, 16), 8, 9
SWITCHES = {
    "plain": {},
    "noise": {"instance_noise": 0.3, "label_smoothing": 0.1, "decay_from": 0.5},
    "moves": {"d_steps": 2, "skip_d_below": 0.6},
    "adaptive": {"augment": "shift+colour", "augment_share": 0.3, "augment_target": 0.6},
    "few pictures": {"augment": "shift+colour", "r1": 0.1, "penalty_every": 2},
}


def run(state, game, pictures, until, images=2 * STEPS * BATCH):
    steps = train(game, state, Feed(pictures, BATCH, CPU), Goal(images), 0.05)
    for event in steps:
        if event.step == until:
            break


def same(first, second):
    ours, theirs = first.tensors(), second.tensors()
    assert ours.keys() == theirs.keys()
    for file, tensors in ours.items():
        assert tensors.keys() == theirs[file].keys()
        for key, tensor in tensors.items():
            assert torch.equal(tensor, theirs[file][key]), f"{file} {key}"


@pytest.mark.parametrize("switches", SWITCHES)
@pytest.mark.parametrize("bf16", [False, True], ids=["fp32", "bf16"])
@pytest.mark.parametrize("name", MODELS)
def test_a_resumed_run_is_the_run(name, bf16, switches, small, begin, blobs, tmp_path):
    adversarial = MODELS[name].game == "adversarial"
    rules = SWITCHES[switches] if adversarial else {}
    pictures = blobs(SHAPE, count=20)  # several epochs, so that order matters
    game, whole = begin(name, small(name), bf16, **rules)
    run(whole, game, pictures, 2 * STEPS)

    game, half = begin(name, small(name), bf16, **rules)
    run(half, game, pictures, STEPS)
    checkpoint.write(tmp_path / "step-1", half.tensors(), half.facts())

    game, resumed = begin(name, small(name), bf16, **rules)
    with torch.no_grad():
        for parameter in resumed.model.parameters():
            parameter.add_(1.0)  # whatever was there before must not matter
    found = checkpoint.read(tmp_path / "step-1")
    resumed.restore(found.all_tensors(), found.facts)
    same(half, resumed)
    run(resumed, game, pictures, 2 * STEPS)

    same(whole, resumed)
    assert (resumed.step, resumed.images, resumed.dropped) == (
        whole.step,
        whole.images,
        whole.dropped,
    )
    assert resumed.knobs == whole.knobs
    assert torch.equal(preview_latents(resumed), preview_latents(whole))
    draws = [torch.rand(3, generator=state.stream(CPU)) for state in (resumed, whole)]
    assert torch.equal(*draws)


STAGES = [(1, 0, 0), (5, 0, 1), (10, 1, 1), (15, 1, 2), (20, 2, 2)]  # from 4x4 to 16x16


@pytest.mark.parametrize(("saved", "least", "most"), STAGES)
def test_a_run_resumes_exactly_at_any_stage(saved, least, most, small, begin, blobs, tmp_path):
    pictures, images = blobs(SHAPE, count=20), 400
    game, whole = begin("progressive", small("progressive"))
    run(whole, game, pictures, None, images)
    game, half = begin("progressive", small("progressive"))
    run(half, game, pictures, saved, images)
    level = half.model.generator.level
    assert level == least == most or least < level < most
    checkpoint.write(tmp_path / "step-1", half.tensors(), half.facts())

    game, resumed = begin("progressive", small("progressive"))
    found = checkpoint.read(tmp_path / "step-1")
    resumed.restore(found.all_tensors(), found.facts)
    assert resumed.model.generator.level == level
    run(resumed, game, pictures, None, images)
    same(whole, resumed)


def test_a_knob_that_a_checkpoint_does_not_know_stays_as_it_is_set(small, begin, tmp_path):
    _, state = begin("dcgan", small("dcgan"))
    facts = state.facts()
    del facts["knobs"]["r1"]
    checkpoint.write(tmp_path / "step-1", state.tensors(), facts)
    _, other = begin("dcgan", small("dcgan"), r1=0.25)
    found = checkpoint.read(tmp_path / "step-1")
    other.restore(found.all_tensors(), found.facts)
    assert other.knobs["r1"] == 0.25


def test_a_knob_that_was_turned_stays_turned(small, begin, tmp_path):
    _, state = begin("dcgan", small("dcgan"))
    state.knobs["lr_d"] = 1.25e-5
    checkpoint.write(tmp_path / "step-1", state.tensors(), state.facts())
    _, other = begin("dcgan", small("dcgan"))
    found = checkpoint.read(tmp_path / "step-1")
    other.restore(found.all_tensors(), found.facts)
    assert other.knobs["lr_d"] == 1.25e-5


@pytest.mark.parametrize("missing", ["model", "average", "optimizer-generator"])
def test_an_incomplete_checkpoint_is_no_resume(missing, small, begin, tmp_path):
    _, state = begin("dcgan", small("dcgan"))
    tensors = {name: t for name, t in state.tensors().items() if name != missing}
    checkpoint.write(tmp_path / "step-1", tensors, state.facts())
    found = checkpoint.read(tmp_path / "step-1")
    with pytest.raises(KeyError, match=missing):
        state.restore(found.all_tensors(), found.facts)


def test_streams_depend_on_every_number_and_on_nothing_else():
    draw = lambda *numbers: torch.rand(4, generator=seeded(CPU, *numbers))  # noqa: E731
    assert torch.equal(draw(1, 0, 64), draw(1, 0, 64))
    others = [(2, 0, 64), (1, 1, 64), (1, 0, 128), (64, 0, 1)]
    assert not any(torch.equal(draw(1, 0, 64), draw(*numbers)) for numbers in others)
