"""Every run that the doctor is tried on can be built, watched, and makes a step."""

import math

import pytest
from broken_runs import BROKEN_RUNS, build_of_case

from ganvas.doctor import ISSUES
from ganvas.runs.build import monitors


@pytest.mark.parametrize("name", BROKEN_RUNS)
def test_a_run_makes_a_step(name):
    case = BROKEN_RUNS[name]
    assert {*case.issues} <= ISSUES.keys()
    built = build_of_case(case, seed=0, doctor="treat")
    state = built.initial_state()
    (watching,) = monitors(built, state, {})
    scalars = case.harm(built.trainer).step(state, built.loader, 0.0)
    assert all(math.isfinite(float(value)) for value in scalars.values())
    assert watching.probe.measure(state)
