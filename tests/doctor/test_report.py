"""What a checkpoint holds of the doctor: remembered as it was, or refused in a sentence."""

import json
import math

import pytest

from ganvas.checkpoints.metadata import CheckpointError, RunMetadata, StateMetadata
from ganvas.doctor import ISSUES, detection
from ganvas.doctor.incidents import Incident, Incidents
from ganvas.doctor.page import page
from ganvas.doctor.report import History, Recollection, condition
from ganvas.doctor.signals import RunFacts, SignalsWindow
from ganvas.events import Diagnosis
from ganvas.runtime.forms import FormError


def filled():
    signals = SignalsWindow(RunFacts(200, 1.386, True))
    for step in range(1, 40):
        signals.record(step, 8 * step, {"loss_d": 1.0, "r_t": 0.1 * step})
    signals.add_probe(32, 256, {"score": 0.5, "floor": math.nan, "coverage": 0.5})
    return signals


def some_incidents(issue="too-fast", **changes):
    seen = Diagnosis(32, issue, "It is seen.", {"share": 0.3}, "Do this.")
    return Incidents(
        [Incident(seen), Incident(seen, "Done.", 1, None), Incident(seen, "Again.", 2, True)]
    )


def plain():
    record = {
        "signals": filled().as_plain(),
        "incidents": some_incidents().as_plain(),
        "treated_at": 32,
    }
    return json.loads(json.dumps(record))


def remembering(record):
    """The metadata of a run that a doctor watched."""
    state = StateMetadata(seed=0, rank=0, step=40, images=320, seconds=1.0, dropped=0, live={})
    return RunMetadata(state=state, records={"doctor": record})


def test_what_was_written_is_remembered():
    known = Recollection.of(plain())
    assert known.incidents == some_incidents()
    assert known.treated_at == 32
    expected = filled()
    assert known.signals.facts == expected.facts
    assert known.signals.entries == expected.entries
    assert known.signals.open == expected.open
    assert math.isnan(known.signals.probes[0].values["floor"])
    known.signals.record(40, 320, {"loss_d": 1.0})
    expected.record(40, 320, {"loss_d": 1.0})
    assert known.signals.entries == expected.entries


def test_an_older_record_says_enough():
    record = plain()
    record["signals"]["facts"] = {"images": 200}
    for incident in record["incidents"]:
        del incident["applied"], incident["helped"]
    known = Recollection.of(record | {"new": 1})
    assert known.signals.facts == RunFacts(200)
    assert known.incidents.all[1].applied == 0


WRONG = {
    "no signals window": lambda r: r.pop("signals"),
    "a signals window that is a list": lambda r: r.update(signals=[]),
    "incidents that are no list": lambda r: r.update(incidents={}),
    "an incident that is none": lambda r: r.update(incidents=[5]),
    "an incident without a diagnosis": lambda r: r["incidents"][0].pop("diagnosis"),
    "a diagnosis without a step": lambda r: r["incidents"][0]["diagnosis"].pop("step"),
    "a step as text": lambda r: r["incidents"][0]["diagnosis"].update(step="32"),
    "figures as text": lambda r: r["incidents"][0]["diagnosis"].update(figures={"a": "b"}),
    "applied below 0": lambda r: r["incidents"][1].update(applied=-1),
    "helped as a number": lambda r: r["incidents"][1].update(helped=1),
    "no steps": lambda r: r["signals"].pop("facts"),
    "an open window without numbers": lambda r: r["signals"].update(open={"loss_d": []}),
    "a loss as text": lambda r: r["signals"]["entries"][0]["values"].update(loss_d="1"),
    "a huge loss": lambda r: r["signals"]["entries"][0]["values"].update(loss_d=1e308),
    "a step below 0": lambda r: r["signals"]["entries"][0].update(step=-1),
    "images below 0": lambda r: r["signals"]["facts"].update(images=-1),
    "a chance that is none": lambda r: r["signals"]["facts"].update(chance=math.inf),
    "treated never": lambda r: r.update(treated_at=None),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_record_of_another_form_is_a_sentence(name):
    record = plain()
    WRONG[name](record)
    facts = remembering(record)
    with pytest.raises(CheckpointError, match=r"in the checkpoint is damaged: .*; move this"):
        History.of(facts)


def test_parts_of_a_record_are_refused_alone():
    for part in (SignalsWindow, Incidents):
        with pytest.raises(FormError):
            part.of_plain(None)


def test_what_is_no_number_is_no_finding():
    signals = filled()
    assert signals.found("floor", 1) == []
    assert signals.found_all("floor") == []
    for odd in (math.inf, -math.inf, math.nan):
        for step in range(41, 41 + 16 * 30):
            signals.record(step, 8 * step, {"loss_d": odd, "r_t": -odd, "spread_real": odd})
        signals.add_probe(signals.step, 8 * signals.step, dict.fromkeys(("score", "missing"), odd))
        detection.detect_issues(ISSUES, signals, Incidents())
    assert signals.mean("loss_d", 1) == 1.0


def test_infinities_of_both_signs_have_no_mean():
    signals = SignalsWindow(RunFacts(200))
    for step in range(16):
        signals.record(step, step, {"loss_d": math.inf if step % 2 else -math.inf})
    assert math.isnan(signals.entries[0].values["loss_d"])


def test_a_probe_that_lacks_something_is_not_told():
    facts = remembering(plain())
    assert condition(History.of(facts)) == []  # there is a coverage, and no spread


def test_a_page_shows_what_cannot_be_shown_escaped():
    record = plain()
    record["incidents"][0]["diagnosis"]["sentence"] = "\x1b[2J<script>\u202e"
    facts = remembering(record)
    text = page("caf\udce9 \x1b", History.of(facts), None, {})
    assert text.encode()
    assert "caf\\xe9 \\x1b" in text
    assert "\\x1b[2J&lt;script&gt;\\u202e" in text
