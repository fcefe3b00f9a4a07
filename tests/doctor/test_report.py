"""What a checkpoint holds of the doctor: remembered as it was, or refused in a sentence."""

import json
import math

import pytest

from ganvas.checkpoints.metadata import CheckpointError, RunMetadata, StateMetadata
from ganvas.doctor import ILLNESSES, detection
from ganvas.doctor.incidents import Visit, Visits
from ganvas.doctor.page import page
from ganvas.doctor.report import History, Recollection, condition
from ganvas.doctor.signals import Chart, Facts
from ganvas.events import Diagnosis
from ganvas.runtime.forms import FormError


def charted():
    chart = Chart(Facts(200, 1.386, True))
    for step in range(1, 40):
        chart.record(step, 8 * step, {"loss_d": 1.0, "sureness": 0.1 * step})
    chart.examined(32, 256, {"score": 0.5, "floor": math.nan, "coverage": 0.5})
    return chart


def visited(illness="too-fast", **changes):
    seen = Diagnosis(32, illness, "It is seen.", {"share": 0.3}, "Do this.")
    return Visits([Visit(seen), Visit(seen, "Done.", 1, None), Visit(seen, "Again.", 2, True)])


def plain():
    record = {
        "chart": charted().as_plain(),
        "visits": visited().as_plain(),
        "treated_at": 32,
    }
    return json.loads(json.dumps(record))


def remembering(record):
    """The metadata of a run that a doctor watched."""
    state = StateMetadata(seed=0, rank=0, step=40, images=320, seconds=1.0, dropped=0, live={})
    return RunMetadata(state=state, records={"doctor": record})


def test_what_was_written_is_remembered():
    known = Recollection.of(plain())
    assert known.visits == visited()
    assert known.treated_at == 32
    expected = charted()
    assert known.chart.facts == expected.facts
    assert known.chart.entries == expected.entries
    assert known.chart.open == expected.open
    assert math.isnan(known.chart.exams[0].values["floor"])
    known.chart.record(40, 320, {"loss_d": 1.0})
    expected.record(40, 320, {"loss_d": 1.0})
    assert known.chart.entries == expected.entries


def test_an_older_record_says_enough():
    record = plain()
    record["chart"]["facts"] = {"images": 200}
    for visit in record["visits"]:
        del visit["rungs"], visit["helped"]
    known = Recollection.of(record | {"new": 1})
    assert known.chart.facts == Facts(200)
    assert known.visits.all[1].rungs == 0


WRONG = {
    "no chart": lambda r: r.pop("chart"),
    "a chart that is a list": lambda r: r.update(chart=[]),
    "visits that are no list": lambda r: r.update(visits={}),
    "a visit that is none": lambda r: r.update(visits=[5]),
    "a visit without a diagnosis": lambda r: r["visits"][0].pop("diagnosis"),
    "a diagnosis without a step": lambda r: r["visits"][0]["diagnosis"].pop("step"),
    "a step as text": lambda r: r["visits"][0]["diagnosis"].update(step="32"),
    "figures as text": lambda r: r["visits"][0]["diagnosis"].update(figures={"a": "b"}),
    "rungs below 0": lambda r: r["visits"][1].update(rungs=-1),
    "helped as a number": lambda r: r["visits"][1].update(helped=1),
    "no steps": lambda r: r["chart"].pop("facts"),
    "an open window without numbers": lambda r: r["chart"].update(open={"loss_d": []}),
    "a loss as text": lambda r: r["chart"]["entries"][0]["values"].update(loss_d="1"),
    "a huge loss": lambda r: r["chart"]["entries"][0]["values"].update(loss_d=1e308),
    "a step below 0": lambda r: r["chart"]["entries"][0].update(step=-1),
    "images below 0": lambda r: r["chart"]["facts"].update(images=-1),
    "a chance that is none": lambda r: r["chart"]["facts"].update(chance=math.inf),
    "treated never": lambda r: r.update(treated_at=None),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_record_of_another_form_is_a_sentence(name):
    record = plain()
    WRONG[name](record)
    facts = remembering(record)
    with pytest.raises(CheckpointError, match=r"the doctor is damaged: .*; go back to an older"):
        History.of(facts)


def test_parts_of_a_record_are_refused_alone():
    for part in (Chart, Visits):
        with pytest.raises(FormError):
            part.of_plain(None)


def test_what_is_no_number_is_no_finding():
    chart = charted()
    assert chart.found("floor", 1) == []
    assert chart.found_all("floor") == []
    for odd in (math.inf, -math.inf, math.nan):
        for step in range(41, 41 + 16 * 30):
            chart.record(step, 8 * step, {"loss_d": odd, "sureness": -odd, "spread_real": odd})
        chart.examined(chart.step, 8 * chart.step, dict.fromkeys(("score", "missing"), odd))
        detection.seen(ILLNESSES, chart, Visits())
    assert chart.mean("loss_d", 1) == 1.0


def test_infinities_of_both_signs_have_no_mean():
    chart = Chart(Facts(200))
    for step in range(16):
        chart.record(step, step, {"loss_d": math.inf if step % 2 else -math.inf})
    assert math.isnan(chart.entries[0].values["loss_d"])


def test_a_look_that_lacks_something_is_not_told():
    facts = remembering(plain())
    assert condition(History.of(facts)) == []  # there is a coverage, and no spread


def test_a_page_shows_what_cannot_be_shown_escaped():
    record = plain()
    record["visits"][0]["diagnosis"]["sentence"] = "\x1b[2J<script>\u202e"
    facts = remembering(record)
    text = page("caf\udce9 \x1b", History.of(facts), None, {})
    assert text.encode()
    assert "caf\\xe9 \\x1b" in text
    assert "\\x1b[2J&lt;script&gt;\\u202e" in text
