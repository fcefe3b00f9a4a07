"""What the site adds to the pages in docs/: the options of commands, and pages from elsewhere."""

import html
import re
from pathlib import Path
from typing import Any

import typer
from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from ganvas.cli import application

ROOT = Path(__file__).parents[1]
HISTORY = sorted(path.relative_to(ROOT) for path in ROOT.glob("benchmarks/history/*.md"))
ELSEWHERE = (
    "benchmarks/README.md",
    "benchmarks/RESULTS.md",
    "benchmarks/NOTES.md",
    *(path.as_posix() for path in HISTORY),
)
FORMULA = re.compile(
    r'<(?:span|div) class="arithmatex">\\([\[(])(.*?)\\[\])]</(?:span|div)>', re.DOTALL
)
OPTIONS = re.compile(r"^\{options (\w+)\}$", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Pages that lie outside docs/, under the same path."""
    for path in ELSEWHERE:
        files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Options in place of their mark; links as they are on the site, not in the repository."""
    depth = page.file.src_uri.count("/")
    if page.file.src_uri in ELSEWHERE:
        markdown = markdown.replace("](../docs/", "](../")
    else:
        up = "../" * depth
        markdown = markdown.replace(f"]({up}../benchmarks/", f"]({up}benchmarks/")
    return OPTIONS.sub(lambda found: options(found[1]), markdown)


def on_page_content(content: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Formulas as MathML, which browsers draw themselves: nothing is fetched."""
    return FORMULA.sub(lambda found: formula(found[2], alone=found[1] == "["), content)


def formula(latex: str, alone: bool) -> str:
    """A formula as MathML, on a line of its own or within one."""
    drawn = convert(html.unescape(latex).strip(), display="block" if alone else "inline")
    return f'<div class="formula">{drawn}</div>' if alone else drawn


def options(name: str) -> str:
    """Every option of a command, in a table for each heading of --help-all."""
    command: Any = typer.main.get_command(application([name]))
    context = typer.Context(command.commands[name])
    headed = command.commands[name].headed(context, others=True)
    tables = [
        ["", *([f"### {heading}", ""] if len(headed) > 1 else []), "| option | |", "|---|---|"]
        + [f"| `{_in_cell(flags)}` | {_in_cell(text)} |" for flags, text in rows]
        for heading, rows in headed.items()
    ]
    return "\n".join(["## Every option", *(line for table in tables for line in table)])


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
