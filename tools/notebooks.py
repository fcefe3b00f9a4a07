"""Notebooks as text, executed, and as pages.

`python tools/notebooks.py pair` writes each .ipynb, without outputs, from its .py;
`python tools/notebooks.py run [NAME ...]` executes them on their full budgets and renders them with
their outputs into docs/lesson/.
"""

import os
import re
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path

import jupytext
from nbclient import NotebookClient
from nbconvert import MarkdownExporter
from nbconvert.filters import strip_ansi
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from nbformat import NotebookNode

ROOT = Path(__file__).parents[1]
FOLDER, PAGES = ROOT / "notebooks", ROOT / "docs" / "lesson"
NAMES = ("gan_pytorch", "gan_keras", "dcgan", "style_transfer", "your_own_images")
NOISE = (
    "absl::InitializeLog",
    "port.cc",
    "meta_optimizer.cc",
    "tf.function retracing",
    "IPKernelApp",
)
LONGEST = 1200  # seconds that a cell may take
WIDE = 100  # characters, of what commands print on a page


def main() -> None:
    """Do what is asked for."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["pair", "run"])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all")
    asked = parser.parse_args()
    for name in asked.names or NAMES:
        if asked.what == "pair":
            (FOLDER / f"{name}.ipynb").write_text(paired(name), "utf-8")
            continue
        began = time.monotonic()
        notebook = executed(read(name), os.environ | {"COLUMNS": str(WIDE)})
        render(notebook, name)
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)


def read(name: str) -> NotebookNode:
    """A notebook, from its text."""
    return jupytext.read(FOLDER / f"{name}.py", fmt="py:percent")


def paired(name: str) -> str:
    """The .ipynb of a notebook: the same cells, without outputs and without chance."""
    notebook = read(name)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
    text: str = jupytext.writes(notebook, fmt="ipynb")
    return text + "\n"


def shortened(notebook: NotebookNode) -> NotebookNode:
    """With small budgets, and every question answered: as the tests run it.

    Both stand in the cells' metadata, where no reader stumbles over them.
    """
    for cell in notebook.cells:
        if "small" in cell.metadata:
            lines = [f"{name} = {value!r}" for name, value in cell.metadata["small"].items()]
            cell.source = "\n".join([cell.source, *lines])
        if "answer" in cell.metadata:
            lines = cell.source.split("\n")
            lines[lines.index("answer = None")] = f"answer = {cell.metadata['answer']!r}"
            cell.source = "\n".join(lines)
    return notebook


def executed(notebook: NotebookNode, environment: Mapping[str, str]) -> NotebookNode:
    """Run all cells in order; raises nbclient's CellExecutionError at the first that fails."""
    client = NotebookClient(
        notebook,
        timeout=LONGEST,
        kernel_name="python3",
        resources={"metadata": {"path": str(FOLDER)}},
    )
    client.execute(env=environment)
    return notebook


def render(notebook: NotebookNode, name: str) -> None:
    """The page of a notebook with its outputs, and its images beside it."""
    notebook, _ = CoalesceStreamsPreprocessor().preprocess(notebook, {})
    for cell in notebook.cells:
        cell["outputs"] = [o for o in map(_readable, cell.get("outputs", [])) if o.get("text", o)]
    body, resources = MarkdownExporter().from_notebook_node(
        notebook, {"output_files_dir": f"{name}_files", "unique_key": name}
    )
    images = PAGES / f"{name}_files"
    images.mkdir(parents=True, exist_ok=True)
    for old in images.iterdir():
        old.unlink()
    for path, content in resources["outputs"].items():
        (PAGES / path).write_bytes(content)
    body = re.sub(rf"{re.escape(tempfile.gettempdir())}/\w+/", "", body)  # where it ran
    (PAGES / f"{name}.md").write_text(linked(body), "utf-8")


def linked(text: str) -> str:
    """With links to pages in place of those to notebooks."""
    return re.sub(r"\((\w+)\.ipynb\)", r"(\1.md)", text)


def _readable(output: NotebookNode) -> NotebookNode:
    """Without colours, and without what TensorFlow and Jupyter say of themselves."""
    if output.output_type == "stream":
        lines = strip_ansi(output.text).splitlines()
        kept = [line.rstrip() for line in lines if not any(mark in line for mark in NOISE)]
        output.text = "\n".join([*kept, ""]).lstrip("\n")
    return output


if __name__ == "__main__":
    main()
