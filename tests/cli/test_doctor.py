"""A user with a badly chosen learning rate reads a sentence that helps, and gets images anyway."""

import json
import os
import shutil
from dataclasses import replace

import pytest
from PIL import Image

import ganvas
from ganvas.checkpoints import checkpoint
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


def test_a_badly_chosen_rate_is_named_and_treated(treated):
    _, said = treated
    assert isinstance(said[0], Diagnosis)
    assert said[0].issue == "too-fast"
    assert "the discriminator's weights" in said[0].sentence
    assert "--lr-d" in said[0].advice
    assert isinstance(said[1], Treatment)
    assert "lr_d 0.6 ->" in said[1].sentence
    assert isinstance(said[2], FollowUp)
    assert said[2].helped


def test_it_stands_in_the_metrics_log_and_in_the_checkpoint(treated):
    out, said = treated
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    events = [line for line in lines if "issue" in line]
    assert [line["event"] for line in events] == ["diagnosis", "treatment", "follow-up"]
    assert events[1]["sentence"] == said[1].sentence
    found, _ = checkpoint.newest(out / "checkpoints")
    (incident,) = found.metadata.records["doctor"]["incidents"]
    assert incident["helped"] is True
    assert found.state.live["lr_d"] < 0.1, "a resumed run keeps the treatment"


def test_the_history_is_told(treated, run):
    out, said = treated
    status, told, _ = run("doctor", out)
    assert status == 0
    assert said[0].sentence in told
    assert said[1].sentence in told
    assert "not been detected since" in told
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
    from ganvas.training.callbacks import curves

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
    assert found.state.live["lr_d"] == 0.6
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


@pytest.fixture
def copy(treated, tmp_path):
    """A copy of that run, to be spoilt."""
    shutil.copytree(treated[0], tmp_path / "run")
    return tmp_path / "run"


def test_foreign_files_in_the_run_are_passed_over(treated, copy, run, tmp_path):
    samples = copy / "samples"
    whole = sorted(samples.glob("*.png"))[0]
    (samples / "._0000000008.png").write_bytes(b"of a Mac")
    (samples / "0000000009.png").write_bytes(b"")
    (samples / "the best.png").write_bytes(whole.read_bytes())
    Image.new("RGB", (16, 16)).save(samples / "0001.png")
    with (copy / "metrics.jsonl").open("ab") as file:
        file.write(b'[1]\n{"step": "x", "images": 5}\n\xff\n{"step": 3, "ima')
    for where, name in ((copy, "a.html"), (treated[0], "b.html")):
        assert run("doctor", where, "--html", tmp_path / name)[0] == 0
    assert (tmp_path / "a.html").read_text() == (tmp_path / "b.html").read_text()


@pytest.mark.parametrize("kind", ["missing", "file", "folder"])
def test_a_run_that_lacks_something_is_told_all_the_same(kind, copy, run, tmp_path):
    for name in ("samples", "losses.png", "metrics.jsonl", "run.yaml", "progress.gif"):
        path = copy / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        if kind == "file":
            path.write_bytes(b"x")
        if kind == "folder":
            path.mkdir()
    status, told, _ = run("doctor", copy, "--html", tmp_path / "history.html")
    assert status == 0
    assert "history.html" in told


def test_a_damaged_newest_checkpoint_is_said(copy, run):
    (newest, *_) = checkpoint.list_checkpoints(copy / "checkpoints")
    shutil.copytree(newest, newest.with_name("step-000999999"))
    (newest.with_name("step-000999999") / "manifest.json").write_text('{"format": 0}')
    status, told, err = run("doctor", copy)
    assert status == 0
    assert "step-000999999" in err
    assert "The checkpoint before it is used instead" in err
    assert "Treated" in told or "Done" in told


@pytest.mark.parametrize("place", ["folder", "nowhere", "below a file", "full"])
def test_a_page_that_cannot_be_written_is_a_sentence(place, copy, run, tmp_path):
    (tmp_path / "file").write_text("")
    path = {
        "folder": tmp_path,
        "nowhere": tmp_path / "gone" / "history.html",
        "below a file": tmp_path / "file" / "history.html",
        "full": tmp_path / ("x" * 300),
    }[place]
    before = sorted(os.listdir(tmp_path))
    status, _, err = run("doctor", copy, "--html", path)
    assert status == 1
    assert err.startswith("ganvas: ")
    assert err.count("\n") == 1
    assert sorted(os.listdir(tmp_path)) == before


def test_a_page_takes_the_place_of_an_older_one_or_stays_away(copy, run, tmp_path, monkeypatch):
    place = tmp_path / "history.html"
    place.write_text("older")

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        status, _, err = run("doctor", copy, "--html", place)
    assert status == 1
    assert "the disk is full" in err
    assert place.read_text() == "older"
    assert run("doctor", copy, "--html", place)[0] == 0
    assert "<!doctype html>" in place.read_text()


def test_a_damaged_record_is_a_sentence(copy, run):
    folder = checkpoint.list_checkpoints(copy / "checkpoints")[0]
    found = checkpoint.read(folder)
    metadata = replace(found.metadata, records={"doctor": {"signals": 5}})
    checkpoint.write(folder, found.all_tensors(), metadata)
    status, _, err = run("doctor", copy)
    assert status == 1
    assert "the doctor's record in the checkpoint is damaged" in err


def test_names_are_shown_and_never_raw(copy, run, tmp_path, monkeypatch):
    odd = tmp_path / "a\x1b[2Jb"
    copy.rename(odd)
    monkeypatch.chdir(odd)
    for where in (odd, "."):
        status, told, _ = run("doctor", where)
        assert status == 0
        assert told.startswith("a\\x1b[2Jb: ")
        assert "\x1b" not in told
    status, told, _ = run("doctor", odd, "--html", tmp_path / "history.html")
    assert "\x1b" not in told + (tmp_path / "history.html").read_text()
