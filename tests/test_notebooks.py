"""Every notebook runs from its first cell to its last, and every question has the answer it has.

Whole notebooks run in `make test-notebooks`. What is cheap is tested always: that they are well
formed, that each name they import exists, and that their cells run up to the first image.
"""

import ast
import importlib
import json
import os
import tempfile
from importlib.util import find_spec
from unittest import mock

import lesson
import matplotlib.pyplot as plt
import pytest
import torch

import ganvas
import notebooks

RUNS = [*[(name, "tensorflow") for name in notebooks.NAMES], ("gan_keras", "torch")]


def test_every_notebook_has_a_page_and_every_page_a_notebook():
    pages = {path.stem for path in notebooks.PAGES.glob("*.md")} - {"index", "theory"}
    assert pages == set(notebooks.NAMES)


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """What notebooks see: nothing of the user's, and no warning of what is not installed."""
    return {**os.environ, "GANVAS_CACHE": str(tmp_path_factory.mktemp("cache"))}


@pytest.mark.notebooks
@pytest.mark.parametrize(("name", "backend"), RUNS, ids=[f"{n}-{b}" for n, b in RUNS])
def test_it_runs_and_its_answers_are_right(name, backend, environment):
    if (name, backend) == ("gan_keras", "tensorflow") and not find_spec("tensorflow"):
        pytest.skip("TensorFlow has no wheel for this Python")
    notebook = notebooks.shortened(notebooks.read(name))
    asked = sum("answer" in cell.metadata for cell in notebook.cells)
    done = notebooks.executed(notebook, environment | {"KERAS_BACKEND": backend})
    outputs = [o for cell in done.cells if cell.cell_type == "code" for o in cell.outputs]
    told = [o.data["text/plain"] for o in outputs if "text/plain" in o.get("data", {})]
    assert asked > 0
    assert sum(line.startswith("Right: ") for line in told) == asked
    assert any("image/png" in o.get("data", {}) for o in outputs), "it shows something"
    streams = "".join(o.text for o in outputs if o.output_type == "stream")
    assert "Traceback" not in streams
    if name == "gan_keras":
        assert f"on {backend}" in streams


def code(name):
    """The Python cells of a notebook, as the tests run it."""
    cells = notebooks.shortened(notebooks.read(name)).cells
    return [c for c in cells if c.cell_type == "code" and not c.source.startswith("%%")]


@pytest.mark.parametrize("name", notebooks.NAMES)
def test_it_is_well_formed(name):
    cells = notebooks.read(name).cells
    assert sum("answer" in cell.metadata for cell in cells) > 0
    for cell in cells:
        assert ("answer" in cell.metadata) == ("answer = None" in cell.source.split("\n"))
        for budget in cell.metadata.get("small", {}):
            assert any(line.startswith(f"{budget} = ") for line in cell.source.split("\n")), budget
    for cell in code(name):
        ast.parse(cell.source)


@pytest.mark.parametrize("name", notebooks.NAMES)
def test_every_name_that_it_imports_exists(name):
    tree = ast.parse("\n".join(cell.source for cell in code(name)))
    ours = {"ganvas": ganvas, "lesson": lesson}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert all(find_spec(alias.name) for alias in node.names), ast.unparse(node)
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "ganvas":
            module = importlib.import_module(node.module)
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                assert hasattr(module, alias.name) or find_spec(inner), ast.unparse(node)
        elif isinstance(node, ast.ImportFrom):
            assert find_spec(node.module), ast.unparse(node)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ours:
            assert hasattr(ours[ast.unparse(node.value)], node.attr), ast.unparse(node)


@pytest.fixture
def shown(monkeypatch, tmp_path):
    """What cells show, while they run here and may write and change the environment."""
    figures = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(plt, "show", lambda: figures.append(plt.gcf()) or plt.close("all"))
    with mock.patch.dict(os.environ, {"KERAS_BACKEND": "torch"}), torch.random.fork_rng():
        yield figures


@pytest.mark.parametrize("name", notebooks.NAMES)
def test_its_first_cells_run(name, shown):
    """Up to the first image, or the first command."""
    names = {"__name__": "__main__"}
    for cell in notebooks.shortened(notebooks.read(name)).cells:
        if shown or cell.source.startswith("%%"):
            break
        if cell.cell_type == "code":
            exec(compile(cell.source, f"<{name}>", "exec"), names)
    assert "lesson" in names
    assert shown or "images" in names


@pytest.mark.parametrize("name", notebooks.NAMES)
def test_the_ipynb_is_that_of_the_text(name):
    assert (notebooks.FOLDER / f"{name}.ipynb").read_text("utf-8") == notebooks.paired(name), (
        "python tools/notebooks.py pair"
    )
    content = json.loads(notebooks.paired(name))
    cells = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells)


@pytest.mark.parametrize("name", notebooks.NAMES)
def test_its_page_is_of_this_text(name):
    page = (notebooks.PAGES / f"{name}.md").read_text("utf-8")
    for cell in notebooks.read(name).cells:
        assert notebooks.linked(cell.source) in page, (
            "make notebooks ONLY=NAME, or, of words alone, the same change in docs/lesson/"
        )


@pytest.mark.parametrize("name", notebooks.NAMES)
def test_its_page_has_its_images(name):
    page = (notebooks.PAGES / f"{name}.md").read_text("utf-8")
    assert "Not answered yet" in page, "readers are to answer themselves"
    assert "/tmp/" not in page
    for path in (notebooks.PAGES / f"{name}_files").iterdir():
        assert path.name in page


def test_a_wrong_answer_is_not_right():
    assert lesson.check(3, 2, "because").right is False
    assert "3 it is not" in repr(lesson.check(3, 2, "because"))
    assert lesson.check(None, 2, "because").right is None
    assert lesson.check(2, 2, "because").sentence == "Right: because"
