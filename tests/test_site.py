"""The site builds without a warning, fetches nothing, and what it tells people to type is right."""

import ast
import importlib
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import reference
import site_hooks
import typer

import ganvas
from ganvas import cli
from ganvas.config.options import options
from ganvas.doctor import ISSUES
from ganvas.evaluation.metrics import METRICS
from ganvas.losses import ADVERSARIAL_LOSSES
from ganvas.models import MODELS

ROOT = Path(__file__).parent.parent
OUTSIDE = sorted(ROOT.glob("*.md"))  # of those on it, mkdocs checks the links
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
CITATION = re.compile(
    r"([A-Z][\w-]+(?:(?:, [A-Z][\w-]+)* and [A-Z][\w-]+| et al\.)?),? \(?((?:19|20)\d\d[a-z]?)\b"
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FETCHED = re.compile(r"""<(?:script|link|img|iframe|source)[^>]*\b(?:src|href)=["']?https?://""")


def blocks(language):
    """Every block of a language, with the page that it stands on."""
    found = [
        (page.relative_to(ROOT), content)
        for page in PAGES
        for kind, content in BLOCK.findall(page.read_text("utf-8"))
        if kind == language
    ]
    return [pytest.param(content, id=f"{page}-{i}") for i, (page, content) in enumerate(found)]


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The site, built as `make site` does."""
    folder = tmp_path_factory.mktemp("site")
    mkdocs = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder]
    done = subprocess.run(mkdocs, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_nothing_is_fetched_when_it_is_looked_at(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        assert not FETCHED.search(page.read_text("utf-8")), page
    for style in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*['\"]?https?:", style.read_text("utf-8")), style


def test_the_reference_is_complete(site):
    """Every entry of every catalogue has its heading, every option of training its row."""
    for page, entries in (
        ("models", MODELS),
        ("losses", ADVERSARIAL_LOSSES),
        ("metrics", METRICS),
        ("doctor", ISSUES),
    ):
        text = (site / f"reference/{page}.html").read_text("utf-8")
        for entry in entries:
            assert f'<h2 id="{entry}">' in text, f"{page}: {entry}"
    text = (site / "reference/index.html").read_text("utf-8")
    for name in ganvas.__all__:
        assert name == "__version__" or f'<h2 id="ganvas{name}">' in text
    for option in options().values():
        key = {"for": "budget", "from": "start"}.get(option.name, option.key)
        assert f"<td><code>{key}</code></td>" in text, option.name
    assert "**options" not in text


def test_examples_of_the_reference_are_python():
    assert reference.EXAMPLES.keys() == {*ganvas.__all__} - {"__version__"}
    for example in reference.EXAMPLES.values():
        ast.parse(example)


def test_every_citation_leads_to_its_reference(site):
    known, cited_anchors = site_hooks.references(), set()
    for page in PAGES:
        if (
            page.name in ("README.md", site_hooks.REFERENCES)
            and page.parent != ROOT / "docs/doctor"
        ):
            continue  # not on the site, or the references themselves
        text = re.sub(r"\s+", " ", page.read_text("utf-8"))
        for authors, year in CITATION.findall(text):
            assert (authors, year) in known, f"{page}: {authors}, {year} is not in references.md"
            cited_anchors.add(known[authors, year])
    linked = {
        anchor
        for page in site.rglob("*.html")
        for anchor in re.findall(r"references\.html#([\w-]+)", page.read_text("utf-8"))
    }
    assert cited_anchors <= linked
    assert len(cited_anchors) > 15


def test_citations_in_code_and_in_links_stay():
    text = "```\nKarras et al., 2018\n```\n[Karras et al., 2018](x) and Karras et\nal. (2018)"
    changed = site_hooks.cited(text, "references.md")
    assert changed == text.replace(
        "Karras et\nal. (2018", "[Karras et\nal. (2018](references.md#karras-2018)"
    )


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_a_page_with_every_option(name, site):
    page = (site / "guide" / f"{name}.html").read_text("utf-8")
    assert "{options" not in page
    for option in parsed(name).params:
        if option.param_type_name == "option" and not option.hidden:
            assert re.search(rf"<code>{option.opts[0]}[ <]", page), option.opts[0]


@pytest.mark.parametrize("page", OUTSIDE, ids=lambda page: page.name)
def test_links_of_pages_that_are_not_on_the_site(page):
    for link in LINK.findall(page.read_text("utf-8")):
        if not link.startswith(("https://", "#")):
            assert (ROOT / link.split("#")[0]).exists(), link


def parsed(name):
    """A command as the command line has it."""
    return typer.main.get_command(cli.application([name])).commands[name]


@pytest.mark.parametrize("content", blocks("sh"))
def test_commands_are_understood(content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for line in content.splitlines():
        program, *arguments = shlex.split(line, comments=True) or [""]
        if Path(program).name == "ganvas":
            name, *rest = arguments
            parsed(name).make_context(name, rest)
        elif program == "python":
            assert (ROOT / arguments[0]).is_file(), line
        elif program == "make":
            targets = [target for target in arguments if "=" not in target]
            makefile = (ROOT / "Makefile").read_text("utf-8")
            assert all(f"\n{target}:" in makefile for target in targets), line


@pytest.mark.parametrize("content", blocks("python"))
def test_programs_name_what_exists(content):
    tree = ast.parse(content)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("ganvas"):
            module = importlib.import_module(node.module)
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                assert hasattr(module, alias.name) or find_spec(submodule), alias.name
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "ganvas":
            assert hasattr(importlib.import_module("ganvas"), node.attr), node.attr
