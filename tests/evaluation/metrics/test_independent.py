"""The scores against programs that other people wrote, on the same features."""

import sys
from types import ModuleType

import pytest
import torch

from ganvas.evaluation.metrics import frechet_distance, kernel_distance, neighbour_shares

KINDS = ["alike", "moved", "narrow", "one-of-two"]


@pytest.fixture(scope="module")
def fidelity():
    """The metrics of torch-fidelity, which asks for torchvision and needs none of it for them."""
    names = ["torchvision", "torchvision.datasets", "torchvision.transforms"]
    names.append("torchvision.transforms.functional")
    stubs = {name: ModuleType(name) for name in names}
    stubs["torchvision.datasets"].__dict__.update(CIFAR10=object, STL10=object, CIFAR100=object)
    stubs["torchvision.transforms"].__dict__.update(functional=stubs[names[3]], Compose=object)
    with pytest.MonkeyPatch.context() as patch:
        for name, stub in stubs.items():
            patch.setitem(sys.modules, name, stub)
        before = set(sys.modules)
        from torch_fidelity import metric_fid, metric_kid, metric_prc

        yield {"fid": metric_fid, "kid": metric_kid, "prc": metric_prc}
    for name in set(sys.modules) - before:
        if name.startswith("torch_fidelity"):
            del sys.modules[name]


def features(kind):
    """Two sets of features: (300, 24) real ones, and (260, 24) of another kind."""
    random = torch.Generator().manual_seed(KINDS.index(kind))
    real = torch.randn(300, 24, generator=random)
    fake = torch.randn(260, 24, generator=random)
    if kind == "one-of-two":
        real[::2] += 6
    return real, {"moved": fake + 0.5, "narrow": 0.3 * fake}.get(kind, fake)


@pytest.mark.parametrize("kind", KINDS)
def test_neighbours_against_prdc(kind, capsys):
    from prdc import compute_prdc

    real, fake = features(kind)
    theirs = compute_prdc(real.double().numpy(), fake.double().numpy(), 5)
    ours = neighbour_shares(real, fake, 5)
    for name, value in theirs.items():
        assert getattr(ours, name) == pytest.approx(value, abs=1e-9), name


@pytest.mark.parametrize("kind", KINDS)
def test_frechet_distance_against_torch_fidelity(kind, fidelity):
    real, fake = features(kind)
    one, other = (fidelity["fid"].fid_features_to_statistics(x) for x in (real, fake))
    found = fidelity["fid"].fid_statistics_to_metric(one, other, verbose=False)
    theirs = found["frechet_inception_distance"]
    assert frechet_distance(real, fake) == pytest.approx(theirs, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_kernel_distance_against_torch_fidelity(kind, fidelity):
    real, fake = features(kind)
    real = real[: len(fake)]  # it compares sets of one size, here the whole of both
    found = fidelity["kid"].kid_features_to_metric(
        fake.double(), real.double(), kid_subsets=1, kid_subset_size=len(fake), verbose=False
    )
    theirs = found["kernel_inception_distance_mean"]
    assert kernel_distance(real, fake).value == pytest.approx(theirs, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_precision_and_recall_against_torch_fidelity(kind, fidelity):
    real, fake = features(kind)
    theirs = fidelity["prc"].prc_features_to_metric(
        fake.double(), real.double(), prc_neighborhood=3, verbose=False
    )
    ours = neighbour_shares(real, fake, 3)
    assert ours.precision == pytest.approx(theirs["precision"], abs=1e-6)
    assert ours.recall == pytest.approx(theirs["recall"], abs=1e-6)
