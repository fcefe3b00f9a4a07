"""RESULTS.md is what the stored results say, and everything that they name exists."""

import re
from datetime import date

import pytest
import record
from figures import PAGE, SECTIONS, anchor, page
from stored import BENCHMARKS, StoredResult, Table, load, load_all

RESULTS = [*load_all(BENCHMARKS)]
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
RECORDED = re.compile(r'\b(?:record\(\s*[\w.]+,|Comparison\()\s*"(\w+)"')
IN_PAGE = re.compile(r"\[([^\]]+)\]\(#([^)]+)\)")


@pytest.fixture
def somewhere(tmp_path, monkeypatch):
    """A folder to record into, on a machine of which everything is known."""
    monkeypatch.setattr(record, "_processor", lambda: "Some(R) Processor")
    monkeypatch.setattr(record.os, "cpu_count", lambda: 3)
    monkeypatch.setattr(record.sys, "argv", ["kills.py", "--only", "train", "/data/a.jpg"])
    return tmp_path


def recorded(place, cell="7", **more):
    """Records one table of one row below `place`."""
    record.record(place, "kills", [Table(["", "faults"], [["train", cell]])], **more)


def test_the_page_is_what_the_stored_results_say():
    assert (BENCHMARKS / PAGE).read_text("utf-8") == page(RESULTS), "run `make figures`"


def test_no_heading_repeats():
    headings = HEADING.findall(page(RESULTS))
    assert len(headings) > len(SECTIONS)
    assert len({*map(anchor, headings)}) == len(headings)


def test_contents_link_to_every_section():
    found = IN_PAGE.findall(page(RESULTS))
    assert [link for _, link in found] == [anchor(name) for name, _ in found]
    assert {name for name, _ in found} == {SECTIONS[one.benchmark].heading for one in RESULTS}


def test_every_stored_result_lies_where_it_belongs_and_has_a_section():
    for result in RESULTS:
        assert result.benchmark in SECTIONS
        assert load(result.path(BENCHMARKS)) == result
    assert len({result.path(BENCHMARKS) for result in RESULTS}) == len(RESULTS)


def test_every_table_is_complete():
    for result in RESULTS:
        assert result.tables, result.title
        for table in result.tables:
            assert {len(table.columns)} == {*map(len, table.rows)}, result.title


def test_every_benchmark_that_is_named_exists():
    scripts = [re.findall(r"benchmarks/(\w+\.py)", result.command) for result in RESULTS]
    assert sum(map(len, scripts)) > 20
    assert all((BENCHMARKS / name).is_file() for names in scripts for name in names)


def scripts_that_record():
    """Name and text of each benchmark that calls `record`, itself or through a comparison."""
    texts = {path.name: path.read_text("utf-8") for path in BENCHMARKS.glob("*.py")}
    return {name: text for name, text in texts.items() if "from record import" in text}


def test_every_benchmark_that_records_is_listed_and_has_a_section():
    readme = (BENCHMARKS / "README.md").read_text("utf-8")
    found = {name: RECORDED.findall(text) for name, text in scripts_that_record().items()}
    recording = {name: keys for name, keys in found.items() if keys}
    assert {key for keys in recording.values() for key in keys} == {*SECTIONS} - {"keras"}
    for name, keys in recording.items():
        assert f"python benchmarks/{name}" in readme
        assert {*keys} == {name.removesuffix(".py")}


def test_what_is_recorded_is_shown_and_logged(somewhere, capsys):
    recorded(somewhere, "**1,234** (5 to 6)", wanted="none.", notes="On a disk.")
    shown = (somewhere / PAGE).read_text("utf-8")
    logged = (somewhere / "history" / f"{date.today():%Y-%m}.md").read_text("utf-8")
    for text in (shown, logged):
        assert "| train | **1,234** (5 to 6) |" in text
        assert "**Some(R) Processor, 3 cores** · torch" in text
        assert "`python benchmarks/kills.py --only train a.jpg`" in text
        assert "Wanted: none." in text
        assert "On a disk." in text
    assert "| train | **1,234** (5 to 6) |" in capsys.readouterr().out
    assert f"{date.today():%Y-%m}.md" in (somewhere / "history/README.md").read_text("utf-8")


def test_the_newest_is_shown_and_everything_is_logged(somewhere):
    recorded(somewhere, "7")
    recorded(somewhere, "8")
    assert "| train | 8 |" in (somewhere / PAGE).read_text("utf-8")
    assert "| train | 7 |" not in (somewhere / PAGE).read_text("utf-8")
    (log,) = (somewhere / "history").glob("20*.md")
    assert log.read_text("utf-8").index("| train | 7 |") < log.read_text("utf-8").index("| 8 |")


def test_a_part_replaces_nothing(somewhere):
    recorded(somewhere, "7")
    recorded(somewhere, "8", whole=False)
    assert "| train | 7 |" in (somewhere / PAGE).read_text("utf-8")
    (log,) = (somewhere / "history").glob("20*.md")
    assert "| train | 8 |" in log.read_text("utf-8")


def test_each_processor_keeps_its_own(somewhere, monkeypatch):
    recorded(somewhere, "7")
    monkeypatch.setattr(record, "_processor", lambda: "Another")
    recorded(somewhere, "8")
    shown = (somewhere / PAGE).read_text("utf-8")
    assert "| train | 7 |" in shown
    assert "| train | 8 |" in shown


def test_variants_have_headings_in_natural_order(somewhere):
    for seconds in (300, 60):
        recorded(somewhere, variant=f"{seconds}s", title=f"After {seconds} s")
    headings = HEADING.findall((somewhere / PAGE).read_text("utf-8"))
    assert headings[-2:] == ["After 60 s", "After 300 s"]


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("521", "521"),
        ("1,171", "1171"),
        ("0.0005", "0.0005"),
        ("-0.5", "-0.5"),
        ("0.10", '{"value": 0.1, "text": "0.10"}'),
        ("**13,470** 23.7x (1, 2)", '{"value": 13470, "text": "**13,470** 23.7x (1, 2)"}'),
        ("1.5e+02", '{"value": 150.0, "text": "1.5e+02"}'),
        ("4.58 GB", '{"value": 4.58, "text": "4.58 GB"}'),
        ("512x288", '"512x288"'),
        ("20 of 20", '"20 of 20"'),
        ("**inf**", '"**inf**"'),
        ("", '""'),
    ],
)
def test_cells_are_stored_as_numbers_and_shown_as_they_were(text, stored, tmp_path):
    table = Table(["", "found"], [["it", text]])
    result = StoredResult("kills", "", "t", "c", "2026-11-30", "p", "2", "0000000", [table])
    result.save(tmp_path)
    path = result.path(tmp_path)
    assert f'["it", {stored}]' in path.read_text("utf-8")
    assert load(path) == result


def test_old_figures_are_kept_verbatim():
    months = sorted((BENCHMARKS / "history").glob("20*.md"))
    index = (BENCHMARKS / "history/README.md").read_text("utf-8")
    assert months
    assert all(f"]({month.name})" in index for month in months)
    log = "".join(month.read_text("utf-8") for month in months)
    cells = [c for r in RESULTS for t in r.tables for row in t.rows for c in row[1:]]
    assert all(f"| {cell} |" in log or not cell for cell in cells)


def test_paths_of_this_machine_are_in_no_stored_result():
    for result in RESULTS:
        assert not re.search(r"(?:^|\s)(?:/|\.\./)", result.command), result.command
