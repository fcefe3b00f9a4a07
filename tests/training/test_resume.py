"""Resuming is exact: 2N steps, or N, save, load, N, and every tensor is the same."""

import json
from dataclasses import replace

import pytest
import torch

from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.metadata import CheckpointError, RunMetadata
from ganvas.data.loader import Loader
from ganvas.models import MODELS
from ganvas.runtime.rng import seeded_generator
from ganvas.training import Goal, train
from ganvas.training.callbacks.samples import preview_latents
from ganvas.training.state import Purpose

CPU = torch.device("cpu")
SHAPE, BATCH, STEPS = (1, 16, 16), 8, 5
SWITCHES = {
    "plain": {},
    "noise": {"instance_noise": 0.3, "label_smoothing": 0.1, "decay_from": 0.5},
    "moves": {"d_steps": 2, "skip_d_below": 0.6},
    "adaptive": {"augment": "shift+colour", "augment_share": 0.3, "augment_target": 0.6},
    "few images": {"augment": "shift+colour", "r1": 0.1, "penalty_every": 2},
}


def run(state, game, dataset, until, images=2 * STEPS * BATCH):
    steps = train(game, state, Loader(dataset, BATCH, CPU), Goal(images), 0.05)
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


@pytest.mark.parametrize(("name", "bf16"), [("compact", True), ("stylegan", False)])
def test_a_resumed_run_through_both_discriminators_is_the_run(
    name, bf16, small, begin, blobs, tmp_path
):
    # The pretrained one alone: tests/runs/test_discriminators.py.
    rules = {"discriminator": "both", "match": 3.0, "augment": "shift", "skip_d_below": 1.5}
    resumes_exactly(name, bf16, rules, small, begin, blobs, tmp_path)


@pytest.mark.pairwise
@pytest.mark.parametrize("switches", SWITCHES)
@pytest.mark.parametrize("bf16", [False, True], ids=["fp32", "bf16"])
@pytest.mark.parametrize("name", MODELS)
def test_a_resumed_run_is_the_run(name, bf16, switches, small, begin, blobs, tmp_path):
    adversarial = MODELS[name].trainer == "adversarial"
    rules = SWITCHES[switches] if adversarial else {}
    resumes_exactly(name, bf16, rules, small, begin, blobs, tmp_path)


def resumes_exactly(name, bf16, rules, small, begin, blobs, tmp_path):
    images = blobs(SHAPE, count=20)  # several epochs, so that order matters
    game, whole = begin(name, small(name), bf16, **rules)
    run(whole, game, images, 2 * STEPS)

    game, half = begin(name, small(name), bf16, **rules)
    run(half, game, images, STEPS)
    checkpoint.write(tmp_path / "step-1", half.tensors(), RunMetadata(state=half.metadata()))

    game, resumed = begin(name, small(name), bf16, **rules)
    with torch.no_grad():
        for parameter in resumed.model.parameters():
            parameter.add_(1.0)  # whatever was there before must not matter
    found = checkpoint.read(tmp_path / "step-1")
    resumed.restore(found.all_tensors(), found.state)
    same(half, resumed)
    run(resumed, game, images, 2 * STEPS)

    same(whole, resumed)
    assert (resumed.step, resumed.images, resumed.dropped) == (
        whole.step,
        whole.images,
        whole.dropped,
    )
    assert resumed.live == whole.live
    assert torch.equal(preview_latents(resumed), preview_latents(whole))
    draws = [state.stream(Purpose.FAKES, CPU).uniform(3) for state in (resumed, whole)]
    assert torch.equal(*draws)


STAGES = [(1, 0, 0), (5, 0, 1), (10, 1, 1), (15, 1, 2), (20, 2, 2)]  # from 4x4 to 16x16


@pytest.mark.parametrize(("saved", "least", "most"), STAGES)
def test_a_run_resumes_exactly_at_any_stage(saved, least, most, small, begin, blobs, tmp_path):
    dataset, images = blobs(SHAPE, count=20), 400
    game, whole = begin("progressive", small("progressive"))
    run(whole, game, dataset, None, images)
    game, half = begin("progressive", small("progressive"))
    run(half, game, dataset, saved, images)
    level = half.model.generator.level
    assert level == least == most or least < level < most
    checkpoint.write(tmp_path / "step-1", half.tensors(), RunMetadata(state=half.metadata()))

    game, resumed = begin("progressive", small("progressive"))
    found = checkpoint.read(tmp_path / "step-1")
    resumed.restore(found.all_tensors(), found.state)
    assert resumed.model.generator.level == level
    run(resumed, game, dataset, None, images)
    same(whole, resumed)


def test_a_live_setting_that_a_checkpoint_does_not_know_stays_as_it_is_set(small, begin, tmp_path):
    _, state = begin("dcgan", small("dcgan"))
    live = {name: value for name, value in state.live.items() if name != "r1"}
    metadata = RunMetadata(state=replace(state.metadata(), live=live))
    checkpoint.write(tmp_path / "step-1", state.tensors(), metadata)
    _, other = begin("dcgan", small("dcgan"), r1=0.25)
    found = checkpoint.read(tmp_path / "step-1")
    other.restore(found.all_tensors(), found.state)
    assert other.live["r1"] == 0.25


def test_a_live_setting_that_was_turned_stays_turned(small, begin, tmp_path):
    _, state = begin("dcgan", small("dcgan"))
    state.live["lr_d"] = 1.25e-5
    checkpoint.write(tmp_path / "step-1", state.tensors(), RunMetadata(state=state.metadata()))
    _, other = begin("dcgan", small("dcgan"))
    found = checkpoint.read(tmp_path / "step-1")
    other.restore(found.all_tensors(), found.state)
    assert other.live["lr_d"] == 1.25e-5


@pytest.mark.parametrize("missing", ["model", "average", "optimizer-generator"])
def test_an_incomplete_checkpoint_is_no_resume(missing, small, begin, tmp_path):
    _, state = begin("dcgan", small("dcgan"))
    tensors = {name: t for name, t in state.tensors().items() if name != missing}
    checkpoint.write(tmp_path / "step-1", tensors, RunMetadata(state=state.metadata()))
    found = checkpoint.read(tmp_path / "step-1")
    with pytest.raises(CheckpointError, match=missing):
        state.restore(found.all_tensors(), found.state)


WEIGHT = "generator.layers.0.weight"
MOMENT = f"{WEIGHT}:exp_avg"
MISFITS = {
    "optimizer-generator": [
        ("of another shape", lambda t: t | {MOMENT: torch.zeros(3)}),
        ("transposed", lambda t: t | {MOMENT: t[MOMENT].T}),
        ("a step for every weight", lambda t: t | {f"{WEIGHT}:step": t[MOMENT]}),
        ("not finite", lambda t: t | {MOMENT: t[MOMENT] * torch.nan}),
        ("negative squares", lambda t: t | {f"{MOMENT}_sq": -t[f"{MOMENT}_sq"] - 1}),
        ("whole numbers", lambda t: t | {MOMENT: t[MOMENT].long()}),
        ("complex numbers", lambda t: t | {MOMENT: t[MOMENT].to(torch.complex64)}),
        ("one is missing", lambda t: {k: v for k, v in t.items() if k != MOMENT}),
        ("of no parameter", lambda t: t | {"other.weight:exp_avg": t[MOMENT]}),
        ("of no moment", lambda t: t | {f"{WEIGHT}:max_exp_avg_sq": t[MOMENT]}),
        ("of nothing", lambda t: t | {"": t[MOMENT]}),
    ],
    "model": [
        ("of another shape", lambda t: t | {"generator.layers.0.bias": torch.zeros(3)}),
        ("not finite", lambda t: t | {"generator.layers.0.bias": torch.full((4,), torch.inf)}),
        ("missing", lambda t: {k: v for k, v in t.items() if k != "generator.layers.0.bias"}),
        ("foreign", lambda t: t | {"generator.other": torch.zeros(3)}),
        ("complex", lambda t: t | {"generator.layers.0.bias": torch.zeros(4) * 1j}),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("part", "change"),
    [
        pytest.param(part, change, id=f"{part}: {name}")
        for part, of in MISFITS.items()
        for name, change in of
    ],
)
def test_what_does_not_fit_is_refused_before_a_step_and_changes_nothing(
    part, change, small, begin, blobs
):
    game, state = begin("fc", small("fc"))
    run(state, game, blobs(SHAPE, count=20), 2)
    kept = {name: {k: t.clone() for k, t in of.items()} for name, of in state.tensors().items()}
    step = state.step
    with pytest.raises(CheckpointError, match=f"of its {part}, ") as fault:
        state.restore(kept | {part: change(kept[part])}, replace(state.metadata(), step=77))
    assert "\n" not in str(fault.value)
    assert state.step == step
    for name, tensors in state.tensors().items():
        assert all(torch.equal(tensor, kept[name][key]) for key, tensor in tensors.items())


def test_weights_that_are_not_finite_are_restored_where_that_is_asked_for(small, begin):
    _, state = begin("fc", small("fc"))  # a trial of a search that has diverged
    tensors = {name: {k: t.clone() for k, t in of.items()} for name, of in state.tensors().items()}
    tensors["model"]["generator.layers.0.bias"][0] = torch.nan
    state.restore(tensors, state.metadata(), finite=False)
    assert state.model.generator.layers[0].bias[0].isnan()


OLDEST = ("seed", "rank", "step", "images", "seconds", "dropped")


def test_what_the_first_checkpoints_said_is_enough(small, begin, blobs, signed, tmp_path):
    game, state = begin("fc", small("fc"))
    run(state, game, blobs(SHAPE, count=20), 3)
    facts = {name: getattr(state, name) for name in OLDEST} | {"records": {}}
    facts["knobs"] = {"lr_g": 0.25, "lr_d": 0.5, "no_more": 1.0}
    checkpoint.write(tmp_path / "step-1", state.tensors(), RunMetadata())
    signed(tmp_path / "step-1", version=1, facts=json.dumps(facts).encode())
    _, other = begin("fc", small("fc"))
    found = checkpoint.read(tmp_path / "step-1")
    other.restore(found.all_tensors(), found.state)
    same(state, other)
    assert (other.step, other.accumulate, other.fresher) == (3, 1, 1.0)
    assert other.live == state.live | {"lr_g": 0.25, "lr_d": 0.5}


def test_streams_depend_on_every_number_and_on_nothing_else():
    draw = lambda *numbers: torch.rand(4, generator=seeded_generator(CPU, *numbers))  # noqa: E731
    assert torch.equal(draw(1, 0, 64), draw(1, 0, 64))
    others = [(2, 0, 64), (1, 1, 64), (1, 0, 128), (64, 0, 1)]
    assert not any(torch.equal(draw(1, 0, 64), draw(*numbers)) for numbers in others)
