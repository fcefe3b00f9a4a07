"""Each illness is seen in a chart that shows it, and in no other."""

import math

import pytest

from ganvas.doctor import ILLNESSES
from ganvas.doctor.signals import WINDOW, Chart, Facts

CHANCE = math.log(2)
HEALTHY = {
    "loss_d": 0.55, "loss_g": 1.4, "d_real": 0.75, "d_fake": 0.65, "sureness": 0.45,
    "spread_real": 0.29, "spread_fake": 0.27, "update_d": 0.03, "update_g": 0.015,
}  # fmt: skip
EXAM = {
    "score": 0.2, "floor": 0.01, "missing": 0.03, "uneven": 0.1, "coverage": 0.5, "nearest": 1.3,
    "moved": 0.01, "brightened": 0.02, "gap": 0.05,
}  # fmt: skip
DATA = {"constant": 0.0, "repeated": 0.0, "coloured": 1.0}


def chart(
    vitals: dict[str, float] | None = None,
    exam: dict[str, float] | None = None,
    data: dict[str, float] | None = None,
    images: int = 5000,
    windows: int = 64,
    augmented: bool = True,
) -> Chart:
    """A healthy run but for what is given."""
    filled = Chart(Facts(images, CHANCE, augmented))
    filled.examined(0, 0, DATA | (data or {}))
    for step in range(1, windows * WINDOW + 1):
        filled.record(step, step * 32, HEALTHY | (vitals or {}))
        if step % 256 == 0:  # healthy images become better
            better = {"score": EXAM["score"] * 256 / step}
            filled.examined(step, step * 32, EXAM | better | (exam or {}))
    return filled


def swinging() -> Chart:
    """From sure to sure of the opposite, with images that become no better."""
    filled = chart(exam={"score": 0.2})
    for step in range(1, 48 * WINDOW + 1):
        swing = math.copysign(0.9, math.sin(step / 100))
        filled.record(step, step * 32, HEALTHY | {"sureness": swing})
    return filled


def failing() -> Chart:
    """Steps that give nothing."""
    filled = chart()
    for step in range(5):
        filled.record(step, step * 32, {})
    return filled


def slanting(until: float) -> Chart:
    """Kinds of image are painted less and less evenly."""
    filled = chart(windows=256)
    for number in range(1, 9):
        uneven = {"uneven": 0.1 + (until - 0.1) * number / 8}
        filled.examined(4096 + number, 0, filled.exams[-1].values | uneven)
    return filled


ILL = {
    "bad-data": [
        chart(data={"constant": 0.9}),
        chart(data={"repeated": 0.8}),
        chart(data={"coloured": 0.5}),
    ],
    "too-few": [chart(images=60)],
    "divergence": [chart({"loss_d": 1e5, "sureness": 0.0}), failing()],
    "too-fast": [chart({"update_d": 0.8}), chart({"update_g": 0.7})],
    "upside-down": [chart({"sureness": -1.0, "loss_d": 0.01})],
    "at-chance": [
        chart({"skipped": 1.0, "sureness": -1.0, "loss_d": 5.0}),
        chart({"update_d": 1e-8}),
        chart({"loss_d": CHANCE, "sureness": 0.0}, {"score": 1.0}),
    ],
    "too-strong": [chart({"loss_d": 0.01, "sureness": 1.0})],
    "mode-collapse": [
        chart({"spread_fake": 0.005}),
        chart(exam={"missing": 0.12, "score": 0.2}),
        slanting(0.3),
    ],
    "oscillation": [swinging()],
    "memorising": [chart(exam={"gap": 2.0}), chart(exam={"nearest": 0.1})],
    "leaking": [chart(exam={"moved": 0.09}), chart(exam={"brightened": 0.12})],
    "plateau": [chart(exam={"score": 1.0}, windows=256)],
}


def test_every_illness_has_a_patient() -> None:
    assert ILL.keys() == ILLNESSES.keys()


@pytest.mark.parametrize(("name", "patient"), [(n, p) for n, ps in ILL.items() for p in ps])
def test_it_is_seen_where_it_is_and_alone(name: str, patient: Chart) -> None:
    seen = {other for other, illness in ILLNESSES.items() if illness.detect(patient)}
    assert seen == {name}


@pytest.mark.parametrize("name", ILLNESSES)
@pytest.mark.parametrize("windows", [0, 1, 5, 64, 256])
def test_the_healthy_have_none(name: str, windows: int) -> None:
    assert ILLNESSES[name].detect(chart(windows=windows)) is None


@pytest.mark.parametrize("name", ILLNESSES)
def test_nothing_is_said_of_an_empty_chart(name: str) -> None:
    assert ILLNESSES[name].detect(Chart(Facts(5000))) is None


@pytest.mark.parametrize(("name", "patient"), [(n, p) for n, ps in ILL.items() for p in ps])
def test_evidence_is_a_sentence_with_its_figures(name: str, patient: Chart) -> None:
    evidence = ILLNESSES[name].detect(patient)
    assert evidence is not None
    assert evidence.sentence.endswith(".")
    assert evidence.figures
    assert all(math.isfinite(number) for number in evidence.figures.values())


def test_a_chart_comes_back_from_json() -> None:
    import json

    filled = failing()
    assert Chart.of_plain(json.loads(json.dumps(filled.as_plain()))) == filled


def test_kinds_that_are_missing_by_chance_are_no_collapse() -> None:
    as_good_as_real = chart(exam={"missing": 0.12, "score": -0.005})
    assert ILLNESSES["mode-collapse"].detect(as_good_as_real) is None


def test_kinds_that_are_not_painted_yet_are_no_collapse() -> None:
    becoming_better = chart(exam={"missing": 0.42})
    assert ILLNESSES["mode-collapse"].detect(becoming_better) is None


def test_what_has_never_been_even_or_is_so_by_chance_has_not_collapsed() -> None:
    assert ILLNESSES["mode-collapse"].detect(chart(exam={"uneven": 0.25})) is None
    assert ILLNESSES["mode-collapse"].detect(slanting(0.17)) is None


def test_a_game_that_ends_at_chance_with_good_images_is_well() -> None:
    ended = chart({"loss_d": CHANCE, "sureness": 0.0}, {"score": 0.02})
    assert ILLNESSES["at-chance"].detect(ended) is None
