"""Every benchmark can be imported, and what it measures by name exists."""

from importlib import import_module
from pathlib import Path

import doctor_cost
import pytest
import style_iteration

from ganvas.style import objective
from ganvas.training import signals

BENCHMARKS = sorted(path.stem for path in Path(doctor_cost.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_can_be_imported(name):
    assert import_module(name).__doc__


@pytest.mark.parametrize(
    ("module", "names"), [(signals, doctor_cost.MEASURES), (objective, style_iteration.PARTS)]
)
def test_functions_that_are_timed_exist(module, names):
    assert all(callable(getattr(module, name)) for name in names)
