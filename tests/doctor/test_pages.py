"""The handbook: a page for every issue, complete, and no promise without a treatment."""

import re
from pathlib import Path

import pytest
from PIL import Image

from ganvas.config import options
from ganvas.doctor import ISSUES

HANDBOOK = Path(__file__).parents[2] / "docs/doctor"
SECTIONS = ["What you see", "Why", "What ganvas does", "By hand", "Which lesson it is"]


def sections(name: str) -> dict[str, str]:
    parts = re.split(r"^## (.+)$", (HANDBOOK / f"{name}.md").read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_there_are_pages_for_issues_alone() -> None:
    assert {path.stem for path in HANDBOOK.glob("*.md")} == ISSUES.keys() | {"README"}


@pytest.mark.parametrize("name", ISSUES)
def test_a_page_has_every_section_and_an_image(name: str) -> None:
    found = sections(name)
    assert list(found) == SECTIONS
    assert all(len(text.split()) > 8 for text in found.values())
    assert f"]({name}.png)" in (HANDBOOK / f"{name}.md").read_text("utf-8")
    with Image.open(HANDBOOK / f"{name}.png") as image:
        assert min(image.size) > 300


@pytest.mark.parametrize("name", ISSUES)
def test_a_page_names_each_treatment(name: str) -> None:
    told = re.findall(r"^\d+\. ", sections(name)["What ganvas does"], flags=re.MULTILINE)
    assert len(told) == len(ISSUES[name].treatments)


@pytest.mark.parametrize("name", ISSUES)
def test_options_that_a_page_names_exist(name: str) -> None:
    known = {f"--{option}" for option in options()}
    known |= {"--model", "--sheet", "--html", "--no-mirror"}
    text = (HANDBOOK / f"{name}.md").read_text("utf-8")
    assert set(re.findall(r"--[a-z][a-z0-9-]*", text)) <= known
    said = set(re.findall(r"--[a-z][a-z0-9-]*", ISSUES[name].by_hand))
    assert said <= set(re.findall(r"--[a-z][a-z0-9-]*", text))


def test_the_index_leads_to_every_page() -> None:
    index = (HANDBOOK / "README.md").read_text("utf-8")
    assert re.findall(r"^\| \[.+\]\((.+)\.md\)", index, flags=re.MULTILINE) == list(ISSUES)
