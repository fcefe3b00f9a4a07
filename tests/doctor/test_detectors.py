"""Each issue is seen in a signals window that shows it, and in no other."""

import math

import pytest

from ganvas.doctor import ISSUES
from ganvas.doctor.signals import WINDOW, RunFacts, SignalsWindow

CHANCE = math.log(2)
HEALTHY = {
    "loss_d": 0.55, "loss_g": 1.4, "d_real": 0.75, "d_fake": 0.65, "r_t": 0.45,
    "spread_real": 0.29, "spread_fake": 0.27, "update_d": 0.03, "update_g": 0.015,
}  # fmt: skip
PROBE = {
    "score": 0.2, "floor": 0.01, "missing": 0.03, "uneven": 0.1, "coverage": 0.5, "nearest": 1.3,
    "moved": 0.01, "brightened": 0.02, "gap": 0.05,
}  # fmt: skip
DATA = {"constant": 0.0, "repeated": 0.0, "coloured": 1.0}


def signals(
    scalars: dict[str, float] | None = None,
    probe: dict[str, float] | None = None,
    data: dict[str, float] | None = None,
    images: int = 5000,
    windows: int = 64,
    augmented: bool = True,
    recoloured: bool = True,
) -> SignalsWindow:
    """A healthy run but for what is given."""
    filled = SignalsWindow(RunFacts(images, CHANCE, augmented, recoloured))
    filled.add_probe(0, 0, DATA | (data or {}))
    for step in range(1, windows * WINDOW + 1):
        filled.record(step, step * 32, HEALTHY | (scalars or {}))
        if step % 256 == 0:  # healthy images become better
            better = {"score": PROBE["score"] * 256 / step}
            filled.add_probe(step, step * 32, PROBE | better | (probe or {}))
    return filled


def swinging() -> SignalsWindow:
    """From sure to sure of the opposite, with images that become no better."""
    filled = signals(probe={"score": 0.2})
    for step in range(1, 48 * WINDOW + 1):
        swing = math.copysign(0.9, math.sin(step / 100))
        filled.record(step, step * 32, HEALTHY | {"r_t": swing})
    return filled


def failing() -> SignalsWindow:
    """Steps that give nothing."""
    filled = signals()
    for step in range(5):
        filled.record(step, step * 32, {})
    return filled


def slanting(until: float) -> SignalsWindow:
    """Kinds of image are generated less and less evenly."""
    filled = signals(windows=256)
    for number in range(1, 9):
        uneven = {"uneven": 0.1 + (until - 0.1) * number / 8}
        filled.add_probe(4096 + number, 0, filled.probes[-1].values | uneven)
    return filled


BROKEN = {
    "bad-data": [
        signals(data={"constant": 0.9}),
        signals(data={"repeated": 0.8}),
        signals(data={"coloured": 0.5}),
    ],
    "too-few": [signals(images=60)],
    "divergence": [signals({"loss_d": 1e5, "r_t": 0.0}), failing()],
    "too-fast": [signals({"update_d": 0.8}), signals({"update_g": 0.7})],
    "upside-down": [signals({"r_t": -1.0, "loss_d": 0.01})],
    "at-chance": [
        signals({"skipped": 1.0, "r_t": -1.0, "loss_d": 5.0}),
        signals({"update_d": 1e-8}),
        signals({"loss_d": CHANCE, "r_t": 0.0}, {"score": 1.0}),
    ],
    "too-strong": [signals({"loss_d": 0.01, "r_t": 1.0})],
    "mode-collapse": [
        signals({"spread_fake": 0.005}),
        signals(probe={"missing": 0.12, "score": 0.2}),
        slanting(0.3),
    ],
    "oscillation": [swinging()],
    "memorising": [signals(probe={"gap": 2.0}), signals(probe={"nearest": 0.1})],
    "leaking": [signals(probe={"moved": 0.09}), signals(probe={"brightened": 0.12})],
    "plateau": [signals(probe={"score": 1.0}, windows=256)],
}


def test_every_issue_has_a_run() -> None:
    assert BROKEN.keys() == ISSUES.keys()


@pytest.mark.parametrize(("name", "run"), [(n, p) for n, ps in BROKEN.items() for p in ps])
def test_it_is_seen_where_it_is_and_alone(name: str, run: SignalsWindow) -> None:
    seen = {other for other, issue in ISSUES.items() if issue.detect(run)}
    assert seen == {name}


@pytest.mark.parametrize("name", ISSUES)
@pytest.mark.parametrize("windows", [0, 1, 5, 64, 256])
def test_the_healthy_have_none(name: str, windows: int) -> None:
    assert ISSUES[name].detect(signals(windows=windows)) is None


@pytest.mark.parametrize("name", ISSUES)
def test_nothing_is_said_of_an_empty_window(name: str) -> None:
    assert ISSUES[name].detect(SignalsWindow(RunFacts(5000))) is None


@pytest.mark.parametrize(("name", "run"), [(n, p) for n, ps in BROKEN.items() for p in ps])
def test_evidence_is_a_sentence_with_its_figures(name: str, run: SignalsWindow) -> None:
    evidence = ISSUES[name].detect(run)
    assert evidence is not None
    assert evidence.sentence.endswith(".")
    assert evidence.figures
    assert all(math.isfinite(number) for number in evidence.figures.values())


def test_a_window_comes_back_from_json() -> None:
    import json

    filled = failing()
    assert SignalsWindow.of_plain(json.loads(json.dumps(filled.as_plain()))) == filled


def test_kinds_that_are_missing_by_chance_are_no_collapse() -> None:
    as_good_as_real = signals(probe={"missing": 0.12, "score": -0.005})
    assert ISSUES["mode-collapse"].detect(as_good_as_real) is None


def test_kinds_that_are_not_generated_yet_are_no_collapse() -> None:
    becoming_better = signals(probe={"missing": 0.42})
    assert ISSUES["mode-collapse"].detect(becoming_better) is None


def test_what_has_never_been_even_or_is_so_by_chance_has_not_collapsed() -> None:
    assert ISSUES["mode-collapse"].detect(signals(probe={"uneven": 0.25})) is None
    assert ISSUES["mode-collapse"].detect(slanting(0.17)) is None


def test_a_game_that_ends_at_chance_with_good_images_is_well() -> None:
    ended = signals({"loss_d": CHANCE, "r_t": 0.0}, {"score": 0.02})
    assert ISSUES["at-chance"].detect(ended) is None


@pytest.mark.parametrize(
    ("augmented", "recoloured", "leaks"),
    [(True, False, {"moved"}), (False, True, {"brightened"}), (False, False, set())],
)
def test_only_an_augmentation_that_is_used_can_leak(augmented, recoloured, leaks):
    detect = ISSUES["leaking"].detect
    for name in ("moved", "brightened"):
        seen = signals(probe={name: 0.2}, augmented=augmented, recoloured=recoloured)
        assert (detect(seen) is not None) == (name in leaks)


@pytest.mark.parametrize(
    ("moved", "leaks"),
    [
        ((0.0607, 0.0825, 0.0551, 0.0402), False),  # the first probes of healthy emoji, seed 1
        ((0.0650, 0.0699, 0.0528, 0.0393), False),  # seed 2
        ((0.09, 0.08, 0.07, 0.072), True),
        ((0.02, 0.06, 0.07, 0.08), True),
    ],
)
def test_samples_that_are_still_to_be_learnt_do_not_leak(moved, leaks):
    seen = signals()
    found = []
    for number, value in enumerate(moved):
        step = 20_000 + 256 * number
        seen.add_probe(step, step * 32, PROBE | {"moved": value})
        found.append(ISSUES["leaking"].detect(seen) is not None)
    assert any(found) == leaks
