"""The doctor at work: one treatment at a time, each followed up, nothing changed but by them."""

import json

import pytest
import torch

from ganvas.data.loader import Loader
from ganvas.data.subset import split
from ganvas.doctor.evidence import Evidence
from ganvas.doctor.issue import Issue
from ganvas.doctor.monitor import Healthy, Monitor
from ganvas.doctor.probes import Probe
from ganvas.doctor.signals import WINDOW, RunFacts, SignalsWindow
from ganvas.events import Diagnosis, FollowUp, GivenUp, Treatment
from ganvas.losses import ADVERSARIAL_LOSSES
from ganvas.training import Goal, Uncontrolled, train

CPU = torch.device("cpu")
SHAPE, BATCH = (1, 16, 16), 8
SAID = (Diagnosis, Treatment, FollowUp, GivenUp)


def halve(run):
    """A treatment."""
    run.state.live["lr_d"] /= 2
    return "halved."


def cannot(run):
    """A treatment that has nothing to change."""


def issue(until=10**9, **facts):
    """An issue that is seen from the first window on, until a step."""

    def detect(signals):
        seen = signals.step and signals.step < until
        return Evidence("It is ill.", {"step": signals.step}) if seen else None

    facts = {"treatments": (halve, cannot, halve), "windows": 2} | facts
    return Issue(detect, "an issue", by_hand="Do this.", **facts)


@pytest.fixture
def attended(begin, small, blobs):
    """A run with a doctor that knows some issues."""

    def make(issues, mode="treat", name="dcgan", probe_every=16, count=200, **rules):
        game, state = begin(name, small(name), **rules)
        learnt, held_out = split(blobs(SHAPE, count=count), 0)
        signals = SignalsWindow(RunFacts(count, ADVERSARIAL_LOSSES[game.settings.loss].loss.chance))
        doctor = Monitor(
            mode,
            probe_every,
            issues,
            game.settings,
            Probe.of(learnt, held_out, 0),
            signals,
            Healthy.of(state),
            lambda: begin(name, small(name), **rules)[1],
        )
        state.records["doctor"] = doctor
        return game, state, Loader(learnt, BATCH, CPU), doctor

    return make


class Until(Uncontrolled):
    """Stops a run after a step."""

    def __init__(self, state, step):
        self.state, self.step = state, step

    @property
    def stopped(self):
        return self.state.step == self.step


def lived(game, state, loader, doctor, windows, whole=100):
    """What is said in so many windows of a run."""
    until = state.step + windows * WINDOW
    goal = Goal(images=whole * WINDOW * BATCH)
    watchers = [doctor] if doctor else []
    events = train(game, state, loader, goal, 0.05, watchers, Until(state, until))
    return [event for event in events if isinstance(event, SAID)]


def tensors(state):
    return {
        f"{file} {key}": tensor
        for file, named in state.tensors().items()
        for key, tensor in named.items()
    }


def same(one, other):
    ours, theirs = tensors(one), tensors(other)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[k], theirs[k]) for k in ours)


def test_a_healthy_run_is_the_run_without_a_doctor(attended):
    game, watched, loader, doctor = attended({})
    assert lived(game, watched, loader, doctor, 3) == []
    assert len(doctor.signals.probes) == 3
    game, alone, loader, _ = attended({})
    lived(game, alone, loader, None, 3)
    assert same(watched, alone)


def test_a_diagnosis_is_treated_and_followed_up(attended):
    game, state, loader, doctor = attended({"flu": issue(until=3 * WINDOW)})
    said = lived(game, state, loader, doctor, 6)
    assert [type(event) for event in said] == [
        Diagnosis,
        Treatment,
        Diagnosis,
        FollowUp,
        Treatment,
        FollowUp,
    ]
    assert said[0].sentence == "It is ill."
    assert said[0].advice == "Do this."
    assert [e.helped for e in said if isinstance(e, FollowUp)] == [False, True]
    assert state.live["lr_d"] == pytest.approx(doctor.rules.lr_d / 4)
    assert [incident.helped for incident in doctor.incidents.all] == [False, True]
    assert [incident.applied for incident in doctor.incidents.all] == [1, 3], (
        "one treatment had nothing to change"
    )


def test_what_nothing_helps_is_said_once(attended):
    game, state, loader, doctor = attended({"flu": issue(treatments=(cannot,))})
    said = lived(game, state, loader, doctor, 8)
    assert [type(event) for event in said] == [Diagnosis]


def test_a_fatal_issue_ends_in_giving_up(attended):
    game, state, loader, doctor = attended({"plague": issue(treatments=(halve,), fatal=True)})
    said = lived(game, state, loader, doctor, 4)
    assert [type(e) for e in said[:3]] == [Diagnosis, Treatment, Diagnosis]
    assert any(isinstance(event, GivenUp) for event in said)


def test_a_lasting_issue_is_seen_once_and_hides_no_other(attended):
    issues = {"few": issue(lasting=True), "flu": issue(until=3 * WINDOW)}
    game, state, loader, doctor = attended(issues)
    said = lived(game, state, loader, doctor, 6)
    assert [e.issue for e in said if isinstance(e, Diagnosis)] == ["few", "flu"]
    assert [e.issue for e in said if isinstance(e, FollowUp)] == ["flu"]


def test_an_adviser_says_and_does_nothing(attended):
    game, advised, loader, doctor = attended({"flu": issue()}, mode="advise")
    said = lived(game, advised, loader, doctor, 5)
    assert [type(event) for event in said] == [Diagnosis]
    game, alone, loader, _ = attended({})
    lived(game, alone, loader, None, 5)
    assert same(advised, alone)
    assert advised.live == alone.live


@pytest.mark.parametrize("mode", ["advise", "treat"])
def test_what_nobody_treats_hides_no_other_issue(attended, mode):
    issues = {"flu": issue(treatments=(cannot,)), "cough": issue()}
    game, state, loader, doctor = attended(issues, mode=mode)
    said = lived(game, state, loader, doctor, 3)
    assert [e.issue for e in said if isinstance(e, Diagnosis)][:2] == ["flu", "cough"]
    assert [e.issue for e in said if isinstance(e, Treatment)][:1] == ["cough"] * (mode == "treat")


def test_a_treatment_is_followed_up_though_another_issue_came_between(attended):
    def detect(signals):
        return Evidence("It came.", {}) if signals.step == 3 * WINDOW else None

    between = Issue(detect, "another issue", (), by_hand="Do that.")
    issues = {"cough": issue(until=2 * WINDOW), "flu": between}
    game, state, loader, doctor = attended(issues)
    said = lived(game, state, loader, doctor, 6)
    assert [e.issue for e in said if isinstance(e, Diagnosis)] == ["cough", "flu"]
    assert [(e.issue, e.helped) for e in said if isinstance(e, FollowUp)] == [("cough", True)]


def test_a_resumed_doctor_goes_on_where_it_was(attended):
    issues = {"flu": issue(until=4 * WINDOW)}
    game, whole, loader, doctor = attended(issues)
    all_said = lived(game, whole, loader, doctor, 6)

    game, half, loader, doctor = attended(issues)
    said = lived(game, half, loader, doctor, 2)
    facts, record = half.metadata(), json.loads(json.dumps(half.plain_records()["doctor"]))
    kept = {name: dict(named) for name, named in half.tensors().items()}
    game, resumed, loader, doctor = attended(issues)
    resumed.restore(kept, facts)
    doctor.remember(record, resumed.step)
    said += lived(game, resumed, loader, doctor, 4)

    assert said == all_said
    assert resumed.live == whole.live
    assert same(resumed, whole)


@pytest.mark.parametrize(("fatal", "again"), [(False, [Diagnosis]), (True, [Diagnosis, GivenUp])])
def test_who_resumes_hears_again_what_nothing_helped(attended, fatal, again):
    issues = {"flu": issue(treatments=(cannot,), fatal=fatal)}
    game, state, loader, doctor = attended(issues)
    assert [type(event) for event in lived(game, state, loader, doctor, 3)] == again
    facts, record = state.metadata(), json.loads(json.dumps(state.plain_records()["doctor"]))
    kept = {name: dict(named) for name, named in state.tensors().items()}
    game, resumed, loader, doctor = attended(issues)
    resumed.restore(kept, facts)
    doctor.remember(record, resumed.step)
    assert [type(event) for event in lived(game, resumed, loader, doctor, 3)] == again


def go_back(run):
    """A treatment."""
    return f"back to {run.go_back()}."


def begin_again(run):
    """Another."""
    run.draw_anew("")
    return "anew."


def test_going_back_brings_weights_and_moments_back_and_counters_go_on(attended):
    game, state, loader, doctor = attended({"flu": issue(treatments=(go_back,))})
    before = {name: tensor.clone() for name, tensor in tensors(state).items()}
    (_, treated) = lived_until_treated(game, state, loader, doctor)
    assert treated.sentence == "back to 0."
    after = tensors(state)
    assert state.step == WINDOW
    assert state.images == WINDOW * BATCH
    shared = before.keys() & after.keys()
    assert all(torch.equal(before[name], after[name]) for name in shared)
    assert not any("optimizer" in name for name in after), "it had no moments yet"
    lived(game, state, loader, doctor, 1)  # and it can go on
    assert any("optimizer" in name for name in tensors(state))


def lived_until_treated(game, state, loader, doctor):
    said = []
    for event in train(game, state, loader, Goal(10**6), 0.05, [doctor]):
        if isinstance(event, SAID):
            said.append(event)
        if isinstance(event, Treatment):
            return said
    return said


def test_the_last_healthy_moment_is_what_it_goes_back_to(attended):
    game, state, loader, doctor = attended({})
    lived(game, state, loader, doctor, 2)
    assert doctor.healthy.step == 2 * WINDOW
    assert doctor.healthy.score < torch.inf


def test_beginning_again_is_the_first_step(attended, begin, small):
    game, state, loader, doctor = attended({"flu": issue(treatments=(begin_again,))})
    lived_until_treated(game, state, loader, doctor)
    _, new = begin("dcgan", small("dcgan"))
    assert same(state, new)
    assert doctor.healthy.step == WINDOW


def test_weights_that_are_no_numbers_are_cured_in_time(attended):
    from ganvas.doctor import ISSUES

    game, state, loader, doctor = attended(ISSUES)
    lived(game, state, loader, doctor, 2)
    next(state.model.generator.parameters()).data.flatten()[0] = torch.nan
    said = lived(game, state, loader, doctor, 3)
    assert next(e.issue for e in said if isinstance(e, Diagnosis)) == "divergence"
    assert "went back" in said[1].sentence
    assert state.dropped == 5
    assert all(torch.isfinite(t).all() for t in tensors(state).values() if t.is_floating_point())
