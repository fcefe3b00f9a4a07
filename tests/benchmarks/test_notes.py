"""Sections of NOTES.md and RESULTS.md that the repository quotes exist; the index is complete."""

import re

import pytest
from figures import anchor
from stored import BENCHMARKS

ROOT = BENCHMARKS.parent
NOTES = (BENCHMARKS / "NOTES.md").read_text("utf-8")
HEADING = re.compile(r"^##+ (.+)$", re.MULTILINE)
QUOTED = re.compile(r'(NOTES|RESULTS)\.md[`)]*,[\s#]*"([^"]+)"')
INDEX_LINE = re.compile(r"^- \[([^\]]+)\]\(#([^)]+)\): .+$", re.MULTILINE)


def texts():
    """Every file that may quote a section."""
    for folder, kind in (("src", "*.py"), ("docs", "*.md"), ("benchmarks", "*.py")):
        yield from (ROOT / folder).rglob(kind)
    yield from ROOT.glob("*.md")
    yield BENCHMARKS / "README.md"
    yield BENCHMARKS / "NOTES.md"


def quotes():
    """File, page and section of every quotation."""
    for path in texts():
        for page, section in QUOTED.findall(path.read_text("utf-8")):
            plain = re.sub(r"\s+(?:# )?", " ", section)  # it may go on in the next comment line
            yield pytest.param(page, plain, id=f"{path.relative_to(ROOT)}-{plain}")


def test_quotations_are_found():
    assert len([*quotes()]) >= 7


@pytest.mark.parametrize(("page", "section"), [*quotes()])
def test_a_section_that_is_quoted_exists(page, section):
    headings = HEADING.findall((BENCHMARKS / f"{page}.md").read_text("utf-8"))
    assert section in headings


@pytest.mark.parametrize("section", re.findall(r'[Ss]ee "([^"]+)"', NOTES))
def test_a_section_that_the_notes_refer_to_exists(section):
    assert section in HEADING.findall(NOTES)


def test_the_index_has_every_section_once():
    headings = [name for name in HEADING.findall(NOTES) if name != "Index"]
    listed = INDEX_LINE.findall(NOTES)
    assert sorted(name for name, _ in listed) == sorted(headings)
    assert all(link == anchor(name) for name, link in listed)
    assert len({*headings}) == len(headings)
