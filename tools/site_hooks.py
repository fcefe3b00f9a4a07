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
REFERENCES = "references.md"
REFERENCE = re.compile(r'<a id="([\w-]+)"></a>([^(\n]+) \((\d{4}\w?)\)')
FENCED = re.compile(r"(^```.*?^```$|\[[^\]\n]*\]\([^)]*\))", re.DOTALL | re.MULTILINE)
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
    if page.file.src_uri != REFERENCES and page.file.src_uri not in ELSEWHERE:
        markdown = cited(markdown, "../" * depth + REFERENCES)
    return OPTIONS.sub(lambda found: options(found[1]), markdown)


def references() -> dict[tuple[str, str], str]:
    """The anchor of every work, by each way in which its authors may be cited, and its year."""
    text = (ROOT / "docs" / REFERENCES).read_text("utf-8")
    return {
        (authors, year): anchor
        for anchor, names, year in REFERENCE.findall(text)
        for authors in ways(names)
    }


def ways(names: str) -> set[str]:
    """How authors may be cited: all of them, or the first of three or more with "et al."."""
    first, *others = re.split(r", | and ", names)
    return {names, f"{first} et al."} if len(others) > 1 else {names}


def cited(markdown: str, page: str) -> str:
    """Citations as links to this page of references, but for those in code and in links."""
    known = references()
    longest_first = sorted({names for names, _ in known}, key=len, reverse=True)
    authors = "|".join(re.escape(names).replace("\\ ", r"\s+") for names in longest_first)
    citation = re.compile(rf"\b({authors})(,?\s+\(?)(\d{{4}}[a-z]?)\b")

    def linked(found: re.Match[str]) -> str:
        anchor = known.get((" ".join(found[1].split()), found[3]))
        return found[0] if anchor is None else f"[{found[0]}]({page}#{anchor})"

    parts = FENCED.split(markdown)
    parts[::2] = [citation.sub(linked, part) for part in parts[::2]]
    return "".join(parts)


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
