"""The lesson in Kannada: code, formulas and numbers as in English, and it says what it is."""

import re
from pathlib import Path

import pytest
import yaml

from ganvas.lesson.questions import messages, questions

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(path.name for path in (DOCS / "kn/lesson").glob("*.md"))
CODE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$\n]+\$", re.DOTALL)
NUMBERS = re.compile(r"(?<=\| )[\u22120-9.]+(?= \|)")
MARKS = re.compile(r"^\{\w+ ?[\w-]*\}$", re.MULTILINE)
WRITTEN_IN_KANNADA = re.compile(r"[\u0c80-\u0cff]")


def pages(name):
    return [(DOCS / folder / name).read_text("utf-8") for folder in ("lesson", "kn/lesson")]


def test_the_edition_is_complete():
    assert PAGES == ["glossary.md", "index.md", "questions.md", "theory.md"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_the_formulas_numbers_and_diagrams_of_the_english_one(name):
    english, kannada = pages(name)
    for what in (FORMULA, NUMBERS):
        assert sorted(what.findall(kannada)) == sorted(what.findall(english))
    assert set(MARKS.findall(kannada)) == set(MARKS.findall(english))


@pytest.mark.parametrize("name", PAGES)
def test_its_code_is_that_of_the_english_one(name):
    english, kannada = pages(name)
    ours = {*CODE.findall(kannada)} - {'```python\nlesson.language("kn")\n```'}
    assert ours <= {*CODE.findall(english)}


@pytest.mark.parametrize("name", PAGES)
def test_it_says_that_it_awaits_review(name):
    _, kannada = pages(name)
    title, _, notice, *_ = kannada.split("\n")
    assert WRITTEN_IN_KANNADA.search(title)
    assert notice.startswith("!!! warning")
    assert f"(../../lesson/{name})" in kannada
    assert "#translation" in kannada


def test_headings_follow_the_english_ones():
    english, kannada = (
        [line for line in text.split("\n") if line.startswith("#")] for text in pages("theory.md")
    )
    levels = [[len(line.split(" ")[0]) for line in headings] for headings in (english, kannada)]
    assert levels[0] == levels[1]


def test_the_glossary_has_sixty_terms_in_both_languages():
    entries = yaml.safe_load((DOCS / "lesson/glossary.yaml").read_text("utf-8"))
    assert len(entries) >= 60
    assert len({term.casefold() for term, *_ in entries}) == len(entries)
    for term, said, kannada, explained in entries:
        assert said.endswith(".")
        assert explained.endswith(".")
        assert WRITTEN_IN_KANNADA.search(explained), term
        assert WRITTEN_IN_KANNADA.search(kannada) or kannada == term, term


def test_questions_and_messages_are_translated():
    assert messages("kn").keys() == messages("en").keys()
    fields = re.compile(r"\{(\w+)")
    for name, message in messages("en").items():
        assert set(fields.findall(messages("kn")[name])) == set(fields.findall(message))
    for name, asked in questions("en").items():
        ours = questions("kn")[name]
        assert WRITTEN_IN_KANNADA.search(ours.asks)
        assert ours.shown.keys() == asked.shown.keys()
        assert sorted(fields.findall(ours.measured)) == sorted(fields.findall(asked.measured))
