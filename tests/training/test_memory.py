"""Micro-batches of a batch give the step of the whole; memory is counted; running out is
survived."""

from copy import deepcopy
from itertools import product

import pytest
import torch
from torch import nn

import ganvas
from ganvas.checkpoints import checkpoint
from ganvas.config.yaml import read
from ganvas.data.loader import Loader, micro_batches
from ganvas.events import Notice, Step
from ganvas.models import msg, pyramid
from ganvas.runtime.activations import (
    BASE,
    MARGIN,
    Kept,
    Need,
    NotEnoughMemoryError,
    exhausted,
    need,
)
from ganvas.training import Goal, train
from ganvas.training.adversarial import AdversarialTrainer
from ganvas.training.vae import VariationalTrainer

CPU = torch.device("cpu")
SHAPE = (1, 16, 16)
SMALL = {"size": 16, "batch": 8, "images": 32, "latent": 8, "width": 4, "blocks": 2, "samples": 4}


def stepped(state, game, images, micro_batches):
    state = deepcopy_of(state, game)
    state.accumulate = micro_batches
    return state, game.step(state, Loader(images, 8, CPU), 0.0)


def deepcopy_of(state, game):
    return game.start(deepcopy(state.model), state.seed)


RULES = {
    "none": {},
    "relativistic": {"loss": "relativistic"},
    "r1 and r2": {"r1": 1.0, "r2": 1.0},
    "gp": {"loss": "wasserstein", "gp": 10.0},
    "all": {"r1": 0.5, "r2": 0.5, "gp": 1.0},
    "augmentation": {"augment": "shift+colour", "augment_share": 0.5, "augment_target": 0.6},
    "instance noise": {"instance_noise": 0.3, "gp": 1.0},
    "several moves": {"d_steps": 2, "gp": 1.0},
    "both discriminators": {"discriminator": "both", "r1": 0.5, "augment": "shift"},
    "pretrained": {"discriminator": "pretrained", "match": 3.0},
}
WITH_STYLES = {"path length": {"path_length": 2.0, "gp": 1.0, "r1": 0.5}}
WITHOUT_NORM = ["fc", "compact", "progressive", "msg", "stylegan"]


@pytest.fixture
def without_spread(monkeypatch):
    """Discriminators that look at each image alone: not at how much those of a group differ."""
    blind = lambda x: torch.cat([x, torch.zeros_like(x[:, :1])], 1)  # noqa: E731
    for module in (pyramid, msg):
        monkeypatch.setattr(module, "with_spread", blind)


CASES = [
    (name, rules, micro_batches)
    for name, rules, micro_batches in product(WITHOUT_NORM, RULES | WITH_STYLES, (2, 3, 4))
    if name == "stylegan" or rules not in WITH_STYLES
]


@pytest.mark.pairwise
@pytest.mark.parametrize(("name", "rules", "micro_batches"), CASES)
@pytest.mark.usefixtures("without_spread")
def test_micro_batches_give_the_step_of_the_whole_batch(
    name, rules, micro_batches, small, begin, blobs
):
    """Both players see the same fakes, and each image the same numbers, whatever is drawn."""
    model = small(name, SHAPE)
    game, state = begin(name, model, **(RULES | WITH_STYLES)[rules])
    if name == "fc":  # its norm over the batch sees a micro-batch at a time
        model.generator.eval()
    if name == "stylegan":
        for layer in model.generator.layers:
            torch.nn.init.constant_(layer.strength, 0.5)  # or its noise would not be seen
    whole, seen = stepped(state, game, blobs(SHAPE), 1)
    parts, seen_in_parts = stepped(state, game, blobs(SHAPE), micro_batches)
    assert whole.images == parts.images
    assert seen.keys() == seen_in_parts.keys()
    assert whole.live == parts.live
    for key, value in seen.items():
        if key.startswith(("spread", "features", "update")):
            continue  # of a micro-batch: how much few images differ; Adam magnifies what is tiny
        torch.testing.assert_close(seen_in_parts[key], value, rtol=1e-3, atol=1e-4)
    bent = "discriminator" in (RULES | WITH_STYLES)[rules]  # see the frozen network's ReLU6
    of_parts = gradients(parts.model)
    for key, gradient in gradients(whole.model).items():
        if bent and key.startswith("generator"):
            # By norm: rounding moves single activations across the bends.
            assert (of_parts.pop(key) - gradient).norm() <= 3e-2 * gradient.norm()
        else:
            torch.testing.assert_close(of_parts.pop(key), gradient, rtol=5e-3, atol=1e-4)
    assert not of_parts
    for one, other in zip(whole.model.buffers(), parts.model.buffers(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def gradients(model):
    return {key: p.grad for key, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("micro_batches", [1, 2, 4])
@pytest.mark.parametrize("share", [0.999, 1.001])
def test_the_loss_of_the_whole_batch_decides_whether_a_step_is_skipped(
    share, micro_batches, small, begin, blobs
):
    """Not that of each micro-batch, of which some are above the threshold and others below."""
    model = small("compact", SHAPE)
    _, seen = stepped(*begin("compact", model)[::-1], blobs(SHAPE), 1)
    threshold = share * float(seen["loss_d"])
    game, state = begin("compact", model, skip_d_below=threshold, r1=1.0)
    before = deepcopy(model.discriminator.state_dict())
    after, scalars = stepped(state, game, blobs(SHAPE), micro_batches)
    torch.testing.assert_close(scalars["loss_d"], seen["loss_d"], rtol=1e-4, atol=1e-5)
    moved = any(not torch.equal(w, before[n]) for n, w in discriminator(after).items())
    assert moved is (share < 1)
    assert ("skipped" in scalars) is (share > 1)


def discriminator(state):
    return state.model.discriminator.state_dict()


def test_an_autoencoder_learns_from_micro_batches_too(small, begin, blobs):
    game, state = begin("vae", small("vae", SHAPE))
    assert isinstance(game, VariationalTrainer)
    state.accumulate = 4
    events = list(train(game, state, Loader(blobs(SHAPE), 8, CPU), Goal(images=400), 0.05))
    losses = [event.scalars["reconstruction"] for event in events]
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [7]), (2, [4, 3]), (3, [3, 3, 1]), (9, [3, 3, 1])]
)
def test_batches_are_divided_into_micro_batches(count, sizes, blobs):
    loader = Loader(blobs(SHAPE), 7, CPU)
    whole = loader.load(0, 5, 7)
    parts = loader.load_parts(0, 5, 7, micro_batches(7, count))
    assert [len(part.images) for part in parts] == sizes
    assert sum(part.share for part in parts) == pytest.approx(1)
    assert torch.equal(torch.cat([part.images for part in parts]), whole.images)
    assert [part.first for part in parts] == [sum(sizes[:place]) for place in range(len(sizes))]
    assert [part.last for part in parts] == [False] * (len(sizes) - 1) + [True]


def test_what_is_kept_for_the_way_back_is_counted():
    network = nn.Sequential(nn.Linear(10, 20), nn.Tanh(), nn.Linear(20, 5), nn.Tanh())
    kept = Kept(network)
    with kept.watching():
        result = network(torch.randn(4, 10)).sum()
    # The input, and what comes out of both activations; weights are there anyway.
    assert kept.peak == 4 * 4 * (10 + 20 + 5)
    result.backward()
    with kept.watching():
        network(torch.randn(2, 10)).sum().backward()
    assert kept.peak == 4 * 4 * (10 + 20 + 5), "the first is forgotten before the second"


@pytest.mark.parametrize("name", ["dcgan", "compact", "stylegan"])
def test_micro_batches_need_less_memory(name, small, begin, blobs):
    peaks = []
    for count in (1, 4):
        game, state = begin(name, small(name, SHAPE), r1=0.1)
        state.accumulate = count
        kept = Kept(state.model)
        with kept.watching():
            game.step(state, Loader(blobs(SHAPE), 32, CPU), 0.0)
        peaks.append(kept.peak)
    assert peaks[1] < 0.45 * peaks[0]


def test_the_need_is_a_line_through_two_small_batches(small, begin):
    _, state = begin("dcgan", small("dcgan", SHAPE))
    found = need(state.model, state.average, lambda count: 1000 + 50 * count, (4, 8))
    assert found.image == pytest.approx(50 * MARGIN)
    assert found.fixed > BASE + 1000
    line = Need(fixed=100, image=10)
    assert (line.of(3), line.most(155), line.most(100), line.most(10)) == (130, 5, 0, 0)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (MemoryError(), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 1 bytes"), True),
        (RuntimeError("shape mismatch"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_running_out_of_memory_is_recognised(fault, expected):
    assert exhausted(fault) == expected


@pytest.fixture
def at_most(monkeypatch):
    """A machine that has room for so many images at once."""

    def limit(count):
        discriminator_loss = AdversarialTrainer._discriminator_loss

        def scarce(self, state, model, images, *given):
            if len(images.batch.labels) > count:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
            return discriminator_loss(self, state, model, images, *given)

        monkeypatch.setattr(AdversarialTrainer, "_discriminator_loss", scarce)

    return limit


def test_a_run_that_runs_out_of_memory_goes_on_in_micro_batches(at_most, images, tmp_path):
    out = tmp_path / "run"
    at_most(2)
    events = list(ganvas.train(images, out, **SMALL))
    told = [e.sentence for e in events if isinstance(e, Notice) and "memory" in e.sentence]
    assert [("2 micro-batches of 4" in t, "4 micro-batches of 2" in t) for t in told] == [
        (True, False),
        (False, True),
    ]
    assert [e.images for e in events if isinstance(e, Step)] == [8, 16, 24, 32]
    assert checkpoint.newest(out / "checkpoints")[0].state.accumulate == 4
    more = list(ganvas.train(out=out, resume=True, images=48))
    assert not [e for e in more if isinstance(e, Notice) and "Out of memory" in e.sentence]


def test_a_machine_with_no_room_at_all_says_so(at_most, images, tmp_path):
    at_most(1)
    with pytest.raises(NotEnoughMemoryError, match="smaller --size or --width"):
        list(ganvas.train(images, tmp_path / "run", **SMALL))


def test_other_faults_are_not_hidden(monkeypatch, images, tmp_path):
    def broken(*_):
        raise RuntimeError("shape mismatch")

    monkeypatch.setattr(AdversarialTrainer, "_discriminator_loss", broken)
    with pytest.raises(RuntimeError, match="shape mismatch"):
        list(ganvas.train(images, tmp_path / "run", **SMALL))


@pytest.mark.parametrize(
    ("memory", "micro_batches"), [("8GB", 1), (f"{(BASE + 0.6e6) / 1e6:.1f}MB", None)]
)
def test_memory_chooses_the_micro_batches_and_says_so(memory, micro_batches, images, tmp_path):
    events = list(ganvas.train(images, tmp_path / "run", memory=memory, **SMALL))
    (told,) = [e.sentence for e in events if isinstance(e, Notice) and "memory" in e.sentence]
    chosen = read(tmp_path / "run" / "run.yaml")["training"]["accumulate"]
    if micro_batches == 1:
        assert "8.0 GB of memory: a batch of 8 is undivided" in told
        assert chosen == 1
    else:
        assert 1 < chosen <= 4
        assert f"into {chosen} micro-batches" in told


def test_too_little_memory_is_refused_before_training(images, tmp_path):
    with pytest.raises(NotEnoughMemoryError, match="allow more"):
        list(ganvas.train(images, tmp_path / "run", memory="100MB", **SMALL))
    assert not (tmp_path / "run" / "checkpoints").exists()
