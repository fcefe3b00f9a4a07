"""Generators from descriptions and weights that nobody vouches for."""

import time

import pytest
import torch

from ganvas.models import MODELS, build
from ganvas.models.description import (
    DescriptionError,
    describe,
    fitting,
    generator,
    misfit,
    not_finite,
    outline,
)

SHAPE = (3, 16, 16)
SMALL = {"latent": 8, "width": 4}


@pytest.mark.parametrize("switches", [{}, {"spectral_norm": True}])
@pytest.mark.parametrize("name", MODELS)
def test_what_is_built_without_memory_is_what_is_built_with_it(name, switches):
    if switches and "spectral_norm" not in MODELS[name].settings.__dataclass_fields__:
        pytest.skip("it has none")
    classes = 0 if name == "vae" else 3
    with torch.random.fork_rng():
        real = build(name, MODELS[name].settings(**SMALL, **switches), SHAPE, classes).generator
    made = generator(describe(name, SMALL | switches, SHAPE, classes), real.state_dict())
    latents = torch.randn(2, 8 + classes)
    for ours, theirs in zip(made(latents), real.eval()(latents), strict=True):
        assert torch.equal(ours, theirs)
    tensors = [*made.parameters(), *made.buffers()]
    assert {tensor.device.type for tensor in tensors} == {"cpu"}
    assert not any(tensor.requires_grad for tensor in tensors)
    assert not made.training


def test_building_draws_no_random_numbers_and_shares_no_memory():
    real = build("compact", MODELS["compact"].settings(**SMALL), SHAPE).generator
    before = torch.get_rng_state()
    made = generator(describe("compact", SMALL, SHAPE, 0), real.state_dict())
    assert torch.equal(torch.get_rng_state(), before)
    ours, theirs = made.state_dict(), real.state_dict()
    assert all(ours[name].data_ptr() != theirs[name].data_ptr() for name in ours)


HUGE = [
    ("fc", {"width": 10**9}, SHAPE),
    ("compact", {"width": 10**9}, SHAPE),
    ("compact", {"blocks": 10**9}, SHAPE),
    ("dcgan", {"latent": 10**9}, SHAPE),
    ("stylegan", {"mapping": 10**9}, SHAPE),
    ("fc", {"width": 10**400}, SHAPE),
    ("fc", {"width": 65_536, "latent": 65_536, "variant": "keras"}, (4, 4096, 4096)),
    ("compact", {"width": 4096, "latent": 65_536, "blocks": 64}, (3, 1024, 1024)),
    ("stylegan", {"width": 4096, "latent": 65_536, "mapping": 64}, (3, 1024, 1024)),
    ("msg", {"width": 4096}, (3, 4096, 4096)),
    ("dcgan", {}, (3, 8, 8)),
]


@pytest.mark.parametrize(("name", "network", "shape"), HUGE)
def test_what_is_far_too_large_is_refused_before_anything_is_allocated(name, network, shape):
    began = time.process_time()
    with pytest.raises(DescriptionError) as fault:
        fitting(describe(name, network, shape, 0), {"a": torch.zeros(3)})
    assert time.process_time() - began < 20  # 64 TB would take longer
    assert len(str(fault.value)) < 300


def test_the_largest_that_is_documented_is_possible():
    for name, network, side in (("compact", {"width": 128}, 1024), ("fc", {"width": 4096}, 64)):
        assert outline(describe(name, network, (3, side, side), 1000)).classes == 1000


WRONG = [
    ("none", {}, "no model called 'none'.*update ganvas"),
    ("fc", {"new": 1}, "fc has no setting 'new'.*update ganvas"),
    ("fc", {"width": "x"}, "invalid width"),
    ("fc", {"width": None}, "invalid width"),
    ("fc", {"width": [4]}, "invalid width"),
    ("fc", {"width": 1}, "invalid width.*greater than or equal to 4"),
    ("fc", {"variant": "tensorflow"}, "invalid variant"),
    ("stylegan", {"mixing": float("nan")}, "invalid mixing"),
]


@pytest.mark.parametrize(("name", "network", "sentence"), WRONG)
def test_what_is_wrong_with_a_description_is_said(name, network, sentence):
    with pytest.raises(DescriptionError, match=sentence):
        describe(name, network, SHAPE, 0)


def tensors(**changes):
    return {"w": torch.ones(2, 3), "count": torch.tensor(3), **changes}


MISFITS = {
    "w is missing": {"w": None},
    "there is no 'more'": {"more": torch.ones(1)},
    "w is 3x2 and not 2x3": {"w": torch.ones(3, 2)},
    "w is one number and not 2x3": {"w": torch.tensor(1.0)},
    "w holds int64 and not float32": {"w": torch.ones(2, 3).long()},
    "w holds bool": {"w": torch.ones(2, 3).bool()},
    "w holds complex64": {"w": torch.ones(2, 3) * 1j},
    "w holds float8_e4m3fn": {"w": torch.ones(2, 3).to(torch.float8_e4m3fn)},
    "count holds float32 and not int64": {"count": torch.tensor(3.0)},
    "w has numbers that are not finite": {"w": torch.full((2, 3), torch.nan)},
}


@pytest.mark.parametrize("sentence", MISFITS)
def test_what_does_not_fit_is_named(sentence):
    found = {name: t for name, t in tensors(**MISFITS[sentence]).items() if t is not None}
    assert sentence in (misfit(tensors(), found) or "")


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_fit(kind):
    assert misfit(tensors(), tensors(w=torch.ones(2, 3, dtype=kind))) is None


def test_numbers_whose_sum_is_none_are_finite_all_the_same():
    assert not_finite({"w": torch.full((100,), 3e38), "e": torch.zeros(0)}) is None
    mixed = torch.tensor([torch.inf, -torch.inf])
    assert not_finite({"w": mixed}) == "w"
