"""A user with a foolish learning rate reads a sentence that helps, and gets pictures anyway."""

import json

import pytest

import ganvas
from ganvas import checkpoint
from ganvas.events import Diagnosis, FollowUp, GivenUp, Treatment

SMALL = ("--size", 16, "--batch", 8, "--width", 4, "--samples", 4)
LENGTH = 700  # steps


@pytest.fixture(scope="module")
def treated(tmp_path_factory):
    """A run whose discriminator learns thirty times too fast, and what was said of it."""
    out = tmp_path_factory.mktemp("doctor") / "run"
    options = {"size": 16, "batch": 8, "width": 4, "samples": 4, "images": 8 * LENGTH}
    events = list(ganvas.train("digits", out, lr_d=0.6, **options))
    return out, [e for e in events if isinstance(e, Diagnosis | Treatment | FollowUp | GivenUp)]


def test_a_foolish_rate_is_named_and_treated(treated):
    _, said = treated
    assert isinstance(said[0], Diagnosis)
    assert said[0].illness == "too-fast"
    assert "the discriminator's weights" in said[0].sentence
    assert "--lr-d" in said[0].advice
    assert isinstance(said[1], Treatment)
    assert "lr_d 0.6 ->" in said[1].sentence
    assert isinstance(said[2], FollowUp)
    assert said[2].helped


def test_it_stands_in_the_journal_and_in_the_checkpoint(treated):
    out, said = treated
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    events = [line for line in lines if "event" in line]
    assert [line["event"] for line in events] == ["diagnosis", "treatment", "follow-up"]
    assert events[1]["sentence"] == said[1].sentence
    found, _ = checkpoint.newest(out / "checkpoints")
    (visit,) = found.facts["records"]["doctor"]["visits"]
    assert visit["helped"] is True
    assert found.facts["knobs"]["lr_d"] < 0.1, "a resumed run keeps the treatment"


def test_the_history_is_told(treated, run):
    out, said = treated
    status, told, _ = run("doctor", out)
    assert status == 0
    assert said[0].sentence in told
    assert said[1].sentence in told
    assert "not been seen again" in told
    assert "Now:" in told
    assert "of the samples nearly repeat another" in told
    assert "To try by hand" not in told, "it was cured"


def test_the_page_needs_nothing_beside_it(treated, run, tmp_path):
    out, said = treated
    place = tmp_path / "history.html"
    assert run("doctor", out, "--html", place)[0] == 0
    page = place.read_text("utf-8")
    assert said[1].sentence.replace("'", "&#x27;").replace(">", "&gt;") in page
    assert page.count("data:image/png;base64,") >= 2, "curves and samples"
    assert 'src="http' not in page
    assert "<script" not in page


def test_the_treatment_is_drawn_on_the_losses(treated, tmp_path):
    from ganvas.training import curves

    out, _ = treated
    lines = (out / "metrics.jsonl").read_text().splitlines()
    without = tmp_path / "metrics.jsonl"
    without.write_text("\n".join(line for line in lines if '"event"' not in line) + "\n")
    curves.draw(without, tmp_path / "without.png")
    assert (tmp_path / "without.png").read_bytes() != (out / "losses.png").read_bytes()


def test_advice_alone_changes_nothing_and_is_said(tmp_path, run):
    words = ("train", "digits", *SMALL, "--images", 400, "--lr-d", 0.6)
    status, said, _ = run(*words, "--out", tmp_path / "run", "--doctor", "advise")
    assert status == 0
    assert "By hand:" in said
    assert "Treated:" not in said
    found, _ = checkpoint.newest(tmp_path / "run" / "checkpoints")
    assert found.facts["knobs"]["lr_d"] == 0.6
    _, told, _ = run("doctor", tmp_path / "run")
    assert "To try by hand:" in told


def test_without_a_doctor_nothing_is_said_or_kept(tmp_path, run):
    words = ("train", "digits", *SMALL, "--images", 400, "--lr-d", 0.6)
    status, said, _ = run(*words, "--out", tmp_path / "run", "--doctor", "off")
    assert status == 0
    assert "By hand" not in said
    status, _, err = run("doctor", tmp_path / "run")
    assert status == 1
    assert "without a doctor" in err


def test_a_folder_without_a_run_is_refused(tmp_path, run):
    status, _, err = run("doctor", tmp_path)
    assert status == 1
    assert "holds no run" in err
