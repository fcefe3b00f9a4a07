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

import matplotlib.pyplot as plt
import pytest
import torch

import ganvas
import notebooks
from ganvas import lesson
from ganvas.lesson.questions import questions

RUNS = [*[(name, "tensorflow") for name in notebooks.NAMES], ("gan_keras", "torch")]


def test_every_notebook_has_a_page_and_every_page_a_notebook():
    others = {"index", "theory", "questions", "glossary"}
    pages = {path.stem for path in notebooks.PAGES.glob("*.md")} - others
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
    notebook = notebooks.shortened(notebooks.read(name), name)
    asked = {cell.metadata["question"] for cell in notebook.cells if notebooks.asks(cell)}
    done = notebooks.executed(notebook, environment | {"KERAS_BACKEND": backend})
    outputs = [o for cell in done.cells if cell.cell_type == "code" for o in cell.outputs]
    feedback = [*notebooks.feedback(done)]
    assert {one["name"] for one in feedback} == asked != set()
    assert not [one["sentence"] for one in feedback if not one["right"]]
    assert any("image/png" in o.get("data", {}) for o in outputs), "it shows something"
    streams = "".join(o.text for o in outputs if o.output_type == "stream")
    assert "Traceback" not in streams
    if name == "gan_keras":
        assert f"on {backend}" in streams


def code(name):
    """The Python cells of a notebook, as the tests run it."""
    cells = notebooks.shortened(notebooks.read(name), name).cells
    return [c for c in cells if c.cell_type == "code" and not c.source.startswith("%%")]


@pytest.mark.parametrize("name", notebooks.NAMES)
def test_it_is_well_formed(name):
    cells = notebooks.read(name).cells
    assert any(notebooks.asks(cell) for cell in cells)
    (budget,) = (cell.source.split("\n") for cell in cells if "budget" in notebooks.tags(cell))
    for small in notebooks.CHECKS[name]["small"]:
        assert any(line.startswith(f"{small} = ") for line in budget), small
    for cell in code(name):
        ast.parse(cell.source)


@pytest.mark.parametrize("name", notebooks.NAMES)
def test_a_cell_fits_a_page(name):
    for cell in notebooks.read(name).cells:
        for line in cell.source.split("\n"):
            assert len(line) <= 78 + 2, line


@pytest.mark.parametrize("name", notebooks.NAMES)
def test_its_questions_are_the_lesson_s(name):
    for cell in notebooks.read(name).cells:
        asked = notebooks.asks(cell)
        lines = cell.source.split("\n")
        assert (asked is not None) == ("answer = None" in lines)
        if asked is not None:
            comment = lines[: lines.index("answer = None")]
            assert " ".join(line.removeprefix("# ") for line in comment) == asked.text


def test_every_question_is_asked_once():
    cells = [cell for name in notebooks.NAMES for cell in notebooks.read(name).cells]
    assert [one.name for cell in cells if (one := notebooks.asks(cell))] == [*questions("en")]


@pytest.mark.parametrize("name", notebooks.NAMES)
def test_what_is_claimed_is_said(name):
    """What `make notebooks` checks are sentences of the text, or their beginnings."""
    cells = [cell for cell in notebooks.read(name).cells if cell.cell_type == "markdown"]
    text = " ".join(" ".join(cell.source.split()) for cell in cells)
    assert notebooks.CHECKS[name]["claims"]
    for claim in notebooks.CHECKS[name]["claims"]:
        assert claim["said"] in text
        ast.parse(claim["so"], mode="eval")
    ast.parse(notebooks.claims(name))


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
    for cell in notebooks.shortened(notebooks.read(name), name).cells:
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
        if (asked := notebooks.asks(cell)) is not None:
            assert notebooks.folded_question(asked.text, "").rstrip() in page
            continue
        for shown in notebooks.on_page(cell, {}):
            assert notebooks.linked(shown.source) in page, (
                "make notebooks ONLY=NAME, or, of words alone, the same change in docs/lesson/"
            )


@pytest.mark.parametrize("name", notebooks.NAMES)
def test_its_page_has_its_images(name):
    page = (notebooks.PAGES / f"{name}.md").read_text("utf-8")
    assert "Not answered yet" not in page, "a page folds the answer away"
    assert "answer = None" not in page
    assert "/tmp/" not in page
    for path in (notebooks.PAGES / f"{name}_files").iterdir():
        assert path.name in page
