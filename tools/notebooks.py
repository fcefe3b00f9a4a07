"""Notebooks as text, executed, and as pages.

`python tools/notebooks.py pair` writes each .ipynb, without outputs, from its .py;
`python tools/notebooks.py run [NAME ...]` executes them on their full budgets, renders them with
their outputs into docs/lesson/, and fails if anything that their text claims is not so.
"""

import json
import os
import re
import sys
import tempfile
import textwrap
import time
from argparse import ArgumentParser
from base64 import b64decode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jupytext
import yaml
from nbclient import NotebookClient
from nbconvert import MarkdownExporter
from nbconvert.filters import strip_ansi
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from ganvas.lesson.check import MIME
from ganvas.lesson.questions import Question, question

ROOT = Path(__file__).parents[1]
FOLDER, PAGES = ROOT / "notebooks", ROOT / "docs" / "lesson"
NAMES = ("gan_pytorch", "gan_keras", "dcgan", "stylegan", "style_transfer", "your_own_images")
CHECKS = yaml.safe_load((FOLDER / "checks.yaml").read_text("utf-8"))
NOISE = (
    "absl::InitializeLog",
    "port.cc",
    "meta_optimizer.cc",
    "tf.function retracing",
    "IPKernelApp",
)
DOWNLOAD = (
    '<a class="md-button" href="{name}.ipynb" download>Download this notebook</a>\n\n'
    'To run it, `pip install ".[lesson]" jupyterlab` in the ganvas folder. It needs no network.'
)
DIAGRAM = re.compile(r'lesson\.diagram\("([\w-]+)"\)')
LONGEST = 1200  # seconds that a cell may take
WIDE = 100  # characters, of what commands print on a page


def main() -> None:
    """Do what is asked for."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["pair", "run"])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all")
    asked = parser.parse_args()
    failed = list[str]()
    for name in asked.names or NAMES:
        if asked.what == "pair":
            (FOLDER / f"{name}.ipynb").write_text(paired(name), "utf-8")
            continue
        began = time.monotonic()
        notebook = executed(read(name), os.environ | {"COLUMNS": str(WIDE)}, claims(name))
        untrue = [*false_claims(notebook), *other_answers(notebook)]
        render(notebook, name)
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
        if untrue:
            failed.append(f"{name}: {'; '.join(untrue)}")
    if failed:
        sys.exit("Not so, this time:\n" + "\n".join(failed))


def read(name: str) -> NotebookNode:
    """A notebook, from its text."""
    return jupytext.read(FOLDER / f"{name}.py", fmt="py:percent")


def paired(name: str) -> str:
    """The .ipynb of a notebook: the same cells, without outputs and without chance.

    And without jupytext's mark: with it, Jupyter refuses to open a notebook that is newer than its
    text, as it may be in any clone.
    """
    notebook = read(name)
    notebook.metadata.pop("jupytext", None)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
    text: str = jupytext.writes(notebook, fmt="ipynb")
    return text + "\n"


def shortened(notebook: NotebookNode, name: str) -> NotebookNode:
    """With small budgets, and every question answered: as the tests run it."""
    for cell in notebook.cells:
        if "budget" in tags(cell):
            lines = [f"{what} = {value!r}" for what, value in CHECKS[name]["small"].items()]
            cell.source = "\n".join([cell.source, *lines])
        if (asked := asks(cell)) is not None:
            lines = cell.source.split("\n")
            lines[lines.index("answer = None")] = f"answer = {asked.answer!r}"
            cell.source = "\n".join(lines)
    return notebook


def tags(cell: NotebookNode) -> list[str]:
    """What a cell is, if it is something special."""
    found: list[str] = cell.metadata.get("tags", [])
    return found


def asks(cell: NotebookNode) -> Question | None:
    """The question that a cell asks, if it does."""
    return question(cell.metadata["question"]) if "question" in cell.metadata else None


def claims(name: str) -> str:
    """Python that says, at the end of a notebook, which claims of its text hold."""
    asked = CHECKS[name]
    told = "".join(f"    {one['so']!r}: bool({one['so']}),\n" for one in asked["claims"])
    return f"import json\n{asked.get('before', '')}print(json.dumps({{\n{told}}}))"


def executed(
    notebook: NotebookNode, environment: Mapping[str, str], last: str = ""
) -> NotebookNode:
    """Run all cells in order, and `last`, if that is given, in one more cell.

    Raises nbclient's CellExecutionError at the first cell that fails.
    """
    if last:
        notebook.cells.append(new_code_cell(last, metadata={"tags": ["claims"]}))
    client = NotebookClient(
        notebook,
        timeout=LONGEST,
        kernel_name="python3",
        resources={"metadata": {"path": str(FOLDER)}},
    )
    client.execute(env=environment)
    return notebook


def false_claims(notebook: NotebookNode) -> list[str]:
    """Those claims of an executed notebook that do not hold."""
    (cell,) = (cell for cell in notebook.cells if "claims" in tags(cell))
    return [claim for claim, holds in json.loads(cell.outputs[0].text).items() if not holds]


def feedback(notebook: NotebookNode) -> Iterator[dict[str, Any]]:
    """What the checks of an executed notebook found."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if MIME in output.get("data", {}):
                yield output.data[MIME]


def other_answers(notebook: NotebookNode) -> list[str]:
    """Questions to which an executed notebook found another answer than the lesson's."""
    return [
        f"{one['name']} is {one['found']!r}"
        for one in feedback(notebook)
        if not (asked := question(one["name"])).same(one["found"], asked.answer)
    ]


def render(notebook: NotebookNode, name: str) -> None:
    """The page of a notebook with its outputs, and its images beside it."""
    notebook, _ = CoalesceStreamsPreprocessor().preprocess(notebook, {})
    reasons = {one["name"]: one["because"] for one in feedback(notebook)}
    for cell in notebook.cells:
        cell["outputs"] = [o for o in map(_readable, cell.get("outputs", [])) if o.get("text", o)]
    films = _films(notebook, name)
    cells = [part for cell in notebook.cells for part in on_page(cell, reasons)]
    notebook.cells = [cells[0], new_markdown_cell(DOWNLOAD.format(name=name)), *cells[1:]]
    body, resources = MarkdownExporter().from_notebook_node(
        notebook, {"output_files_dir": f"{name}_files", "unique_key": name}
    )
    images = PAGES / f"{name}_files"
    images.mkdir(parents=True, exist_ok=True)
    for old in images.iterdir():
        old.unlink()
    for path, content in (resources["outputs"] | films).items():
        (PAGES / path).write_bytes(content)
    body = re.sub(rf"{re.escape(tempfile.gettempdir())}/\w+/", "", body)  # where it ran
    (PAGES / f"{name}.md").write_text(linked(body), "utf-8")


def _films(notebook: NotebookNode, name: str) -> dict[str, bytes]:
    """The films of a notebook by their paths, which take their places in the outputs."""
    films = dict[str, bytes]()
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/gif" in output.get("data", {}):
                path = f"{name}_files/film_{len(films) + 1}.gif"
                films[path] = b64decode(output.data["image/gif"])
                said = output.data["text/plain"]
                output.data = NotebookNode({"text/markdown": f"![{said}]({path})"})
    return films


def on_page(cell: NotebookNode, reasons: Mapping[str, str]) -> list[NotebookNode]:
    """What a page shows of a cell: itself, something readers of pages need more, or nothing."""
    if {"check", "claims"} & {*tags(cell)}:
        return []
    asked = asks(cell)
    if asked is not None:
        answer = f"{asked.written(asked.answer)}: {reasons.get(asked.name, asked.because)}"
        return [new_markdown_cell(folded_question(asked.text, answer))]
    if "set-up" in tags(cell):
        return [new_markdown_cell(folded("Set-up", f"```python\n{cell.source}\n```", "note"))]
    if "diagram" in tags(cell):
        name = DIAGRAM.search(cell.source)
        assert name is not None, cell.source
        return [new_markdown_cell(f"{{diagram {name[1]}}}")]
    return [cell]


def folded_question(text: str, answer: str) -> str:
    """A question, and its answer folded away."""
    return "\n\n".join(
        ['!!! question "Question"', indent(text), indent(folded("Answer", answer, "success"))]
    )


def folded(title: str, text: str, kind: str) -> str:
    """Text under a title that unfolds it."""
    return f'??? {kind} "{title}"\n\n{indent(text)}'


def indent(text: str) -> str:
    """Text four places further right; empty lines stay empty."""
    return textwrap.indent(text, "    ")


def linked(text: str) -> str:
    """With links as they are from docs/lesson/, to pages in place of notebooks."""
    text = re.sub(r"\]\((\w+)\.ipynb\)", r"](\1.md)", text)
    return text.replace("](../docs/lesson/", "](").replace("](../docs/", "](../")


def _readable(output: NotebookNode) -> NotebookNode:
    """Without colours, and without what TensorFlow and Jupyter say of themselves."""
    if output.output_type == "stream":
        lines = strip_ansi(output.text).splitlines()
        kept = [line.rstrip() for line in lines if not any(mark in line for mark in NOISE)]
        output.text = "\n".join([*kept, ""]).lstrip("\n")
    return output


if __name__ == "__main__":
    main()
