"""What the site adds to the pages in docs/: what is written from data, and pages from elsewhere."""

import html
import re
from pathlib import Path
from typing import Any

import reference
import typer
import yaml
from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from ganvas.cli import application
from ganvas.lesson import diagram
from ganvas.lesson.questions import questions

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
WRITTEN = re.compile(r"^\{(\w+)(?: ([\w-]+))?\}$", re.MULTILINE)  # {options train}
KANNADA = "kn/"  # where the pages of the second language are


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Pages that lie outside docs/, under the same path."""
    for path in ELSEWHERE:
        files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))
    for notebook in ROOT.glob("notebooks/*.ipynb"):
        place = f"lesson/{notebook.name}"
        files.append(File.generated(config, place, abs_src_path=str(notebook)))
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
    language = "kn" if page.file.src_uri.startswith(KANNADA) else "en"
    return WRITTEN.sub(lambda found: written(found[1], found[2], language), markdown)


def written(what: str, name: str | None, language: str) -> str:
    """What takes the place of a mark."""
    if what == "options":
        return options(str(name))
    if what == "diagram":
        return diagram_box(diagram(str(name)).svg)
    if what == "questions":
        return questions_of(language)
    if what == "glossary":
        return glossary(language)
    if what in reference.WRITERS:
        return reference.WRITERS[what](name or "")
    raise ValueError(f"nothing is called {what!r} here")


def diagram_box(svg: str) -> str:
    """A diagram as one block of HTML, in a box that scrolls on a phone."""
    return f'<div class="diagram-box">{" ".join(svg.split())}</div>'


def questions_of(language: str) -> str:
    """Every question of the lesson, with its answer folded away."""
    parts = []
    for asked in questions(language).values():
        answer = f"{asked.written(asked.answer)}: {asked.because}"
        parts.append(f"<details markdown><summary>{asked.text}</summary>\n\n{answer}\n\n</details>")
    return "\n\n".join(parts)


def glossary(language: str) -> str:
    """Every term of the glossary: in Kannada with the English in brackets."""
    entries = yaml.safe_load((ROOT / "docs/lesson/glossary.yaml").read_text("utf-8"))
    rows = sorted(entries, key=lambda entry: entry[0].casefold())
    if language == "kn":
        lines = [f"| {kannada} ({term}) | {said} |" for term, _, kannada, said in rows]
        return "\n".join(["| ಪದ | ಅರ್ಥ |", "|---|---|", *lines])
    lines = [f"| {term} | {said} |" for term, said, _, _ in rows]
    return "\n".join(["| term | meaning |", "|---|---|", *lines])


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """The language of a page, for browsers and screen readers."""
    if page.file.src_uri.startswith(KANNADA):
        return output.replace('<html lang="en"', '<html lang="kn"', 1)
    return output


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
