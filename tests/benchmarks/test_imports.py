"""Every benchmark can be imported, and what it measures by name exists."""

import sys
from importlib import import_module
from pathlib import Path

import doctor_cost
import pytest
import style_iteration

from ganvas.style import objective
from ganvas.training import signals

BENCHMARKS = sorted(path.stem for path in Path(doctor_cost.__file__).parent.glob("*.py"))


# Of extras that `make test` does not install.
OTHER_EXTRAS = ["playwright", "axe_playwright_python", "tensorboard", "mlflow", "wandb", "ray"]


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_can_be_imported_without_other_extras(monkeypatch, name):
    for extra in OTHER_EXTRAS:
        monkeypatch.setitem(sys.modules, extra, None)
    monkeypatch.delitem(sys.modules, name, raising=False)
    assert import_module(name).__doc__


@pytest.mark.parametrize(
    ("module", "names"), [(signals, doctor_cost.MEASURES), (objective, style_iteration.PARTS)]
)
def test_functions_that_are_timed_exist(module, names):
    assert all(callable(getattr(module, name)) for name in names)
