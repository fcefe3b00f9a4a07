"""Every notebook runs from its first cell to its last, and every question has the answer it has."""

import json
import os
from importlib.util import find_spec

import lesson
import pytest

import notebooks

RUNS = [*[(name, "tensorflow") for name in notebooks.NAMES], ("gan_keras", "torch")]


def test_every_notebook_has_a_page_and_every_page_a_notebook():
    pages = {path.stem for path in notebooks.PAGES.glob("*.md")} - {"index"}
    assert pages == set(notebooks.NAMES)


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """What notebooks see: nothing of the user's, and no warning of what is not installed."""
    return {**os.environ, "GANVAS_CACHE": str(tmp_path_factory.mktemp("cache"))}


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


@pytest.mark.parametrize("name", notebooks.NAMES)
def test_the_ipynb_is_that_of_the_text(name):
    assert (notebooks.FOLDER / f"{name}.ipynb").read_text("utf-8") == notebooks.paired(name), (
        "python tools/notebooks.py pair"
    )
    content = json.loads(notebooks.paired(name))
    code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code)


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
